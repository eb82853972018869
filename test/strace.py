"""The truth about what a command reads: run it under strace, return the files that it opened."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import FrozenSet, Sequence

from crossasm.audit import opened_files, strace_command

__all__ = ["Traced", "traced"]


@dataclass(frozen=True)
class Traced:
    """A command that has ended, and what it read."""

    status: int
    errors: str
    files: FrozenSet[str]
    """Paths relative to the folder that it ran in, of the files below that folder."""


def traced(commands: Sequence[Sequence[str]], cwd: Path) -> Traced:
    """Run commands under strace in `cwd`, one after another until one fails."""
    files = set()
    status, errors = 0, ""
    for command in commands:
        with tempfile.NamedTemporaryFile(prefix="strace-") as log:
            done = subprocess.run([*strace_command(log.name), *command], cwd=cwd, check=False,
                                  capture_output=True, text=True, errors="surrogateescape")
            trace = log.read().decode("ascii")
        files |= opened_files(trace, cwd)
        status, errors = done.returncode, errors + done.stderr
        if status != 0:
            break
    below = (path for path in files if cwd in path.parents)
    return Traced(status, errors, frozenset(str(path.relative_to(cwd)) for path in below))
