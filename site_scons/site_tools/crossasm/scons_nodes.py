"""Builders: sources in, object, library, program and check nodes out."""

from __future__ import annotations

import os
import shlex
from functools import cache
from typing import Any, List, Sequence, Tuple

import SCons.Action
import SCons.Builder
import SCons.Errors
import SCons.Script
import SCons.Util

from .scons_check import check_program, max_size
from .scons_guard import forget_trace, misleading, rebuild_if_altered, settle
from .scons_scan import SCANNER
from .targets import TARGETS
from .toolchain import Toolchain, libraries, missing_tools
from .variables import PROGRAMS, assembler_for, command_names, initial, link_words, stock, wish

__all__ = ["install"]

_SUFFIXES = tuple(sorted({suffix for row in TARGETS.values() for suffix in row.assemblers}))

# SCons hashes the program that a command begins with, were it a launcher: we name the tools. And
# its own quoting leaves the shell's backquotes alive.
_OVERRIDES = {"IMPLICIT_COMMAND_DEPENDENCIES": 0, "ESCAPE": shlex.quote}

_WRITTEN = ("-Map", "-map", "--dependency-file")
"""Flags of linkers whose value is a file that they write."""


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
    return SCons.Builder.Builder(
        generator=_assemble, emitter=_object_emitter, suffix=".o", src_suffix=list(_SUFFIXES),
        source_scanner=SCANNER, single_source=True, **_OVERRIDES)


def _library_builder() -> Any:
    return SCons.Builder.Builder(
        generator=_archive, emitter=_depends_on("ar"), prefix="lib", suffix=".a", src_suffix=".o",
        src_builder="AsmObject", **_OVERRIDES)


def _program_builder() -> Any:
    return SCons.Builder.Builder(
        generator=_link, emitter=_program_emitter, src_suffix=".o", src_builder="AsmObject",
        **_OVERRIDES)


def _check_builder() -> Any:
    action = SCons.Action.Action(check_program, "$ASCHECKCOMSTR", varlist=["ASMAXSIZE", "ASDEBUG"])
    return SCons.Builder.Builder(
        action=action, emitter=_check_emitter, suffix=".json", single_source=True)


def _assemble(source: Any, target: Any, env: Any, for_signature: Any) -> Any:
    fault = misleading(env)
    if fault:
        raise SCons.Errors.UserError(fault)
    return _assembly(tuple(command_names(env, source[0])))


@cache
def _assembly(names: Tuple[str, ...]) -> Any:
    """Return the action of the commands called `names`; SCons asks for it several times a node."""
    return SCons.Action.Action([SCons.Action.Action(forget_trace, None), *map(_command, names),
                                SCons.Action.Action(settle, None)])


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


def _need(env: Any, roles: Sequence[str]) -> None:
    """Raise UserError for tools that are missing, unless nothing is to be run."""
    if SCons.Script.GetOption("clean"):
        return
    gap = missing_tools([(env["CROSSASM_TOOLCHAIN"], roles)])
    if gap:
        raise SCons.Errors.UserError(str(gap))


def _object_emitter(target: Any, source: Any, env: Any) -> Tuple[Any, Any]:
    for node in target:
        if SCons.Util.splitext(str(node))[1] in _SUFFIXES:
            raise SCons.Errors.UserError(
                f"{node}: an object must not be named as a source is; "
                "name several sources in a list")
    for node in source:
        chosen = assembler_for(env, node)
        _depend_on_tools(env, target, chosen.roles, ("AS", "ASCOM"))
        if chosen.name == "gaspp":
            env.SideEffect(env.fs.File(f"{target[0].get_abspath()}.s"), target)
    _depend_on_declared(env, target)
    return rebuild_if_altered(env, target), source


def _program_emitter(target: Any, source: Any, env: Any) -> Tuple[Any, Any]:
    _depend_on_tools(env, target, ["ld"], ("LINK", "LINKCOM"))
    _depend_on_declared(env, target)
    env.Depends(target, [*_stub_nodes(env), *_files_in(env, link_words(env))])
    return rebuild_if_altered(env, target), source


def _check_emitter(target: Any, source: Any, env: Any) -> Tuple[Any, Any]:
    max_size(env)  # a wrong one is told before anything is built
    return rebuild_if_altered(env, target), source


def _depends_on(role: str) -> Any:
    def emitter(target: Any, source: Any, env: Any) -> Tuple[Any, Any]:
        _depend_on_tools(env, target, [role], ("", ""))
        return rebuild_if_altered(env, target), source
    return emitter


def _depend_on_tools(env: Any, target: Any, roles: Sequence[str], shared: Tuple[str, str]) -> None:
    """Make an upgraded tool rebuild what it made; raises UserError for one that is missing.

    `shared` names the variables by which a user replaces the last of the tools, or the command.
    """
    program, command = (wish(env, name) if name else None for name in shared)
    own = [] if command else roles[:-1] if program else roles
    _need(env, own)
    used = [env[name] for name, role in PROGRAMS.items() if role in own]
    for tool in filter(None, (*used, command or program)):
        env.Depends(target, _tool_nodes(env, str(env.subst(str(tool))).lstrip("@-")))


def _tool_nodes(env: Any, command: str) -> List[Any]:
    """Return what stands for a tool: the file that the first word runs, and its libraries."""
    first = command.split(" ", 1)[0]
    path = str(env.fs.Top.File(first).get_abspath()) if "/" in first else env.WhereIs(first)
    if not path:
        return []
    node = env.fs.File(path)
    known = libraries(path) if node.exists() and not node.is_derived() else ""
    return [node, env.Value(f"libraries of {first}: {known}")]


def _depend_on_declared(env: Any, target: Any) -> None:
    env.Depends(target, [env.File(name) for name in env.Flatten(env["ASDEPENDS"]) if name])


def _files_in(env: Any, words: Sequence[str]) -> List[Any]:
    """Return the project's files that a linker's flags name: a script, a list of symbols."""
    read = [word for before, word in zip(("", *words), words)
            if not word.startswith(_WRITTEN) and not before.endswith(_WRITTEN)]
    names = [part for word in read for part in (word, word[2:], word.partition("=")[2])]
    top = env.fs.Top.get_abspath()
    return [env.fs.Top.File(f"./{name}") for name in dict.fromkeys(names)
            if name and not name.startswith("/") and os.path.isfile(os.path.join(top, name))]  # noqa: PTH113, PTH118


def _stub_nodes(env: Any) -> List[Any]:
    stub = env["CROSSASM_TOOLCHAIN"].stub
    return [env.File(stub)] if stub else []


def _stub(target: Any, source: Any, env: Any, for_signature: Any) -> List[str]:
    """Return what programs are linked against, fenced: the content of the file is tracked."""
    return [word for node in _stub_nodes(env) for word in ("$(", str(node), "$)")]
