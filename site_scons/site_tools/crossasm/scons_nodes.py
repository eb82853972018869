"""Builders: sources in, object, library, program and check nodes out."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

import SCons.Action
import SCons.Builder
import SCons.Errors
import SCons.Script
import SCons.Util

from . import audit, binary
from .scons_scan import SCANNER, doubt_about
from .targets import TARGETS
from .toolchain import Toolchain, missing_tools
from .variables import PROGRAMS, assembler_for, command_names, initial, stock, target_of, wish

__all__ = ["install"]

_SUFFIXES = tuple(sorted({suffix for row in TARGETS.values() for suffix in row.assemblers}))


def install(env: Any, chain: Toolchain) -> None:
    """Give `env` the builders and the variables to assemble for the target of `chain`."""
    if "CROSSASM_STOCK" not in env:
        env["CROSSASM_STOCK"] = stock(env)
    fresh = initial(env, chain)
    env["CROSSASM_SET"] = {**env.get("CROSSASM_SET", {}), **fresh}
    env.Replace(CROSSASM_TOOLCHAIN=chain, _ASM_STUB=_stub, **fresh)
    env.Append(BUILDERS={
        "AsmObject": _object_builder(), "AsmLibrary": _library_builder(),
        "AsmProgram": _program_builder(), "AsmCheck": _check_builder(),
    })


def _object_builder() -> Any:
    # SCons hashes the program that a command begins with, were it a launcher: we name the tools.
    return SCons.Builder.Builder(
        generator=_assemble, emitter=_object_emitter, suffix=".o", src_suffix=list(_SUFFIXES),
        source_scanner=SCANNER, single_source=True, IMPLICIT_COMMAND_DEPENDENCIES=0)


def _library_builder() -> Any:
    return SCons.Builder.Builder(
        generator=_archive, emitter=_depends_on("ar"), prefix="lib", suffix=".a", src_suffix=".o",
        src_builder="AsmObject", IMPLICIT_COMMAND_DEPENDENCIES=0)


def _program_builder() -> Any:
    return SCons.Builder.Builder(
        generator=_link, emitter=_program_emitter, src_suffix=".o", src_builder="AsmObject",
        IMPLICIT_COMMAND_DEPENDENCIES=0)


def _check_builder() -> Any:
    action = SCons.Action.Action(_check, "$ASCHECKCOMSTR", varlist=["ASMAXSIZE", "ASDEBUG"])
    return SCons.Builder.Builder(action=action, suffix=".json", single_source=True)


def _assemble(source: Any, target: Any, env: Any, for_signature: Any) -> Any:
    _refuse_what_misleads(env)
    return _assembly(tuple(command_names(env, source[0])))


@cache
def _assembly(names: Tuple[str, ...]) -> Any:
    """Return the action of the commands called `names`; SCons asks for it several times a node."""
    return SCons.Action.Action([*map(_command, names), SCons.Action.Action(_settle, None)])


def _archive(source: Any, target: Any, env: Any, for_signature: Any) -> Any:
    _need(env, ["ar"])
    return [_command("ASARCOM")]


def _link(source: Any, target: Any, env: Any, for_signature: Any) -> Any:
    if wish(env, "LINKCOM"):
        return [_command("LINKCOM")]
    if not wish(env, "LINK"):
        _need(env, ["ld"])
    return [_command("ASLDCOM")]


def _command(name: str) -> Any:
    """Return the action of a command line, printed short where its `…STR` is set."""
    return SCons.Action.Action(f"${name}", f"${name}STR")


def _refuse_what_misleads(env: Any) -> None:
    if "ninja" in env.get("TOOLS", ()):
        raise SCons.Errors.UserError(
            "the ninja tool does not see what assembly includes and would keep stale objects; "
            "build with scons itself")
    if "NASMENV" in env["ENV"]:
        raise SCons.Errors.UserError(
            "NASMENV in ENV changes what nasm reads; take it out and use NASMFLAGS")


def _need(env: Any, roles: Sequence[str]) -> None:
    """Raise UserError for tools that are missing, unless nothing is to be run."""
    if SCons.Script.GetOption("clean"):
        return
    gap = missing_tools([(env["CROSSASM_TOOLCHAIN"], roles)])
    if gap:
        raise SCons.Errors.UserError(str(gap))


def _object_emitter(target: Any, source: Any, env: Any) -> Tuple[Any, Any]:
    for node in source:
        chosen = assembler_for(env, node)
        if not wish(env, "ASCOM"):
            _depend_on_tools(env, target, chosen.roles, None if chosen.name == "gaspp" else "AS")
        if chosen.name == "gaspp":
            env.Clean(target, f"{target[0]}.s")
    env.Depends(target, [env.File(name) for name in env.Flatten(env["ASDEPENDS"])])
    return _rebuild_if_altered(env, target), source


def _program_emitter(target: Any, source: Any, env: Any) -> Tuple[Any, Any]:
    _depend_on_tools(env, target, ["ld"], "LINK")
    env.Depends(target, _stub_nodes(env))
    return _rebuild_if_altered(env, target), source


def _depends_on(role: str) -> Any:
    def emitter(target: Any, source: Any, env: Any) -> Tuple[Any, Any]:
        _depend_on_tools(env, target, [role], None)
        return _rebuild_if_altered(env, target), source
    return emitter


def _depend_on_tools(env: Any, target: Any, roles: Sequence[str], shared: Optional[str]) -> None:
    """Make an upgraded tool rebuild what it made; raises UserError for one that is missing."""
    other = wish(env, shared) if shared else None
    if other:
        found = env.WhereIs(env.subst(str(other)))
        paths = [found] if found else []
    else:
        _need(env, roles)
        names = [name for name, role in PROGRAMS.items() if role in roles]
        paths = [env.WhereIs(env.subst(f"${name}")) for name in names]
    env.Depends(target, [env.File(path) for path in paths if path])


def _rebuild_if_altered(env: Any, target: Any) -> Any:
    """Have a file made again that is not the one SCons recorded.

    A build that was killed leaves new files with old records: without this, undoing the change to
    a source would take such a file for the one of the record.
    """
    for node in target:
        if node.exists() and _is_altered(node):
            env.AlwaysBuild(node)
    return target


def _is_altered(node: Any) -> bool:
    record = getattr(node.get_stored_info(), "ninfo", None)
    known = getattr(record, "csig", None)
    if record is None or getattr(record, "timestamp", None) is None:
        return False  # never recorded: SCons builds it anyway
    if record.size != node.get_size():
        return True
    found = SCons.Util.hash_file_signature(node.get_abspath(), chunksize=1 << 20)
    return known is not None and known != found


def _settle(target: Any, source: Any, env: Any) -> int:
    """Refuse an object whose includes are not all known; 0 when they are."""
    faults = doubt_about(target[0])
    log = Path(f"{target[0].get_abspath()}.strace")
    if log.exists():
        faults += _untracked(target[0], env, log)
        log.unlink()
    for line in faults:
        sys.stderr.write(f"{line}\n")
    if faults:
        os.unlink(target[0].get_abspath())  # noqa: PTH108
    return 1 if faults else 0


def _untracked(target: Any, env: Any, log: Path) -> List[str]:
    """Return a line for each project file that was opened and that the build does not track."""
    top = Path(env.fs.Top.get_abspath())
    tracked = {Path(os.path.realpath(node.get_abspath())) for node in target.children()}
    mine = {Path(f"{target.get_abspath()}{end}") for end in ("", ".s", ".strace")}
    opened = {Path(os.path.realpath(path))
              for path in audit.opened_files(log.read_text("utf-8", "surrogateescape"), top)}
    extra = sorted(path for path in opened - tracked - mine if top in path.parents)
    return [f"{target.sources[0]}: reads {path.relative_to(top)}, which the build does not track; "
            "name it in 'depends', and please report this" for path in extra]


def _check(target: Any, source: Any, env: Any) -> int:
    """Check a program's file and write what it is; say each fault in a line."""
    path = Path(source[0].get_abspath())
    limit = env.get("ASMAXSIZE")
    report = binary.check(path.read_bytes(), target_of(env), name=path.name,
                          max_size=int(limit) if limit else None, forbidden=_build_paths(env))
    for fault in report.faults:
        sys.stderr.write(f"{source[0]}: {fault}\n")
    if not report.faults:
        facts = {"program": path.name, "target": target_of(env).name, "size": path.stat().st_size,
                 "max_size": limit}
        Path(target[0].get_abspath()).write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    return 1 if report.faults else 0


def _build_paths(env: Any) -> List[str]:
    """Return what must not stand in a program: debug information is let name its folder.

    NASM writes the folder that it runs in into DWARF and has no option to write another.
    """
    if env["ASDEBUG"]:
        return []
    top, home = env.fs.Top.get_abspath(), str(Path.home())
    return sorted({top, os.path.realpath(top), f"{home}/", f"{os.path.realpath(home)}/"}
                  - {"/", "//"})


def _stub_nodes(env: Any) -> List[Any]:
    stub = env["CROSSASM_TOOLCHAIN"].stub
    return [env.File(stub)] if stub else []


def _stub(target: Any, source: Any, env: Any, for_signature: Any) -> List[str]:
    """Return what programs are linked against, fenced: the content of the file is tracked."""
    return [word for node in _stub_nodes(env) for word in ("$(", str(node), "$)")]
