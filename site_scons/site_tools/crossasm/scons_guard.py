"""What must hold of an object around its making: an environment or a node in, faults out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Iterator, List

import SCons.Node.FS
import SCons.Script
import SCons.Subst
import SCons.Util

from . import audit
from .scons_scan import doubt_about

__all__ = ["forget_trace", "misleading", "rebuild_if_altered", "settle", "trace_of"]

_READ_BY_ASSEMBLERS = ("NASMENV", "CPATH", "C_INCLUDE_PATH", "CCC_OVERRIDE_OPTIONS")


def misleading(env: Any) -> str:
    """Return in a line what would make builds with `env` keep stale objects, or nothing."""
    if SCons.Script.GetOption("implicit_cache"):
        return ("--implicit-cache: would miss a file that turns up earlier on the include path; "
                "leave it out")
    if "ninja" in env.get("TOOLS", ()):
        return ("the ninja tool does not see what assembly includes and would keep stale objects; "
                "build with scons itself")
    for name in _READ_BY_ASSEMBLERS:
        if name in env["ENV"]:
            return (f"{name} in ENV changes what an assembler reads, unseen by the build; "
                    "take it out and use ASPATH or flags")
    return ""


def rebuild_if_altered(env: Any, target: Any) -> Any:
    """Have a file made again that is not the one SCons recorded, and return `target`.

    A build that was killed leaves new files with old records: without this, undoing the change to
    a source would take such a file for the one of the record.
    """
    _open_records(env)
    for node in target:
        if os.path.isfile(node.get_abspath()) and _is_altered(node):  # noqa: PTH113
            env.AlwaysBuild(node)
    return target


def _open_records(env: Any) -> None:
    """Have SCons read its records where they are: it looks in the folder that it stands in.

    That is a subfolder while a SConscript is read there.
    """
    here = Path.cwd()
    os.chdir(env.fs.Top.get_abspath())
    try:
        env.fs.Top.sconsign()
    finally:
        os.chdir(here)


def _is_altered(node: Any) -> bool:
    record = getattr(node.get_stored_info(), "ninfo", None)
    known = getattr(record, "csig", None)
    if record is None or getattr(record, "timestamp", None) is None:
        return False  # never recorded: SCons builds it anyway
    if record.size != node.get_size():
        return True
    try:
        found = SCons.Util.hash_file_signature(node.get_abspath(), 1 << 20)
    except OSError:  # not ours to read, so not what we have made
        return True
    return known is not None and known != found


def trace_of(target: Any, source: Any, env: Any, for_signature: Any) -> List[Any]:
    """Return where strace writes about the making of a target; for a command line."""
    return [SCons.Subst.Literal(str(_log(target[0])))]


def _log(target: Any) -> Path:
    return Path(f"{target.get_abspath()}.strace")


def forget_trace(target: Any, source: Any, env: Any) -> int:
    """Remove what an audit that failed has left; an action."""
    _log(target[0]).unlink(missing_ok=True)
    return 0


def settle(target: Any, source: Any, env: Any) -> int:
    """Refuse an object whose includes are not all known and unchanged; an action, 0 for none."""
    faults = [*doubt_about(target[0]), *_changed_meanwhile(target[0])]
    log = _log(target[0])
    if log.exists():
        faults += _untracked(target[0], env, log)
        log.unlink()
    for line in faults:
        sys.stderr.write(f"{line}\n")
    if faults:
        Path(target[0].get_abspath()).unlink()
    return 1 if faults else 0


def _changed_meanwhile(target: Any) -> Iterator[str]:
    """Yield a line for each file that is not, after assembling, what was signed before it.

    Otherwise an object of the new content would be recorded, and cached, under the old.
    """
    for node in (*target.sources, *(target.implicit or ())):
        if not isinstance(node, SCons.Node.FS.File) or node.is_derived():
            continue
        path = node.rfile().get_abspath()
        now = SCons.Util.hash_file_signature(path, 1 << 20) if os.path.isfile(path) else ""  # noqa: PTH113
        if now != node.get_csig():
            yield f"{node}: changed while {target.sources[0]} was assembled; build again"


def _untracked(target: Any, env: Any, log: Path) -> List[str]:
    """Return a line for each project file that was opened and that the build does not track."""
    top = Path(os.path.realpath(env.fs.Top.get_abspath()))
    tracked = {Path(os.path.realpath(node.get_abspath())) for node in target.children()}
    own = os.path.realpath(target.get_abspath())
    mine = {Path(f"{own}{end}") for end in ("", ".s", ".strace")}
    trace = log.read_text("utf-8", "surrogateescape")
    opened = {Path(os.path.realpath(path)) for path in audit.opened_files(trace, top)}
    extra = sorted(path for path in opened - tracked - mine if top in path.parents)
    return [f"{target.sources[0]}: reads {path.relative_to(top)}, which the build does not track; "
            "name it in 'depends', and please report this" for path in extra]
