"""The build's own words: environments and nodes in; counted lines, and a table at the end, out."""

from __future__ import annotations

import atexit
import contextlib
import sys
from pathlib import Path
from typing import Any, List, Sequence

import SCons.Node
import SCons.Script

from .report import Counter, size_table
from .scons_project import Linked

__all__ = ["report_on"]

_SOUND = (SCons.Node.executed, SCons.Node.up_to_date)


def report_on(envs: Sequence[Any], built: Sequence[Linked]) -> None:
    """Count the steps on a terminal, and print a table of sizes when something was built."""
    steps = {node for linked in built for node in (*linked.objects, linked.program, linked.check)}
    counter = Counter(len(steps))
    printed: List[Any] = []

    def visited(node: Any) -> None:
        if node in steps:
            counter.step()

    def show(line: str, target: Any, _source: Any, _env: Any) -> None:
        printed.append(target[0])
        sys.stdout.write(f"{counter.prefix() if sys.stdout.isatty() else ''}{line}\n")
        sys.stdout.flush()

    SCons.Script.Progress(visited)
    for env in envs:
        env["PRINT_CMD_LINE_FUNC"] = show
    atexit.register(_print_table, built, printed)


def _print_table(built: Sequence[Linked], printed: Sequence[Any]) -> None:
    if not printed or SCons.Script.GetBuildFailures() or SCons.Script.GetOption("no_exec"):
        return
    rows = [(linked.build.program, linked.build.target, _size(linked), linked.build.max_size)
            for linked in built if linked.check.get_state() in _SOUND]
    if rows:
        with contextlib.suppress(BrokenPipeError):  # whoever read has seen enough
            sys.stdout.write("\n" + size_table(rows) + "\n")
            sys.stdout.flush()


def _size(linked: Linked) -> int:
    return Path(linked.program.get_abspath()).stat().st_size
