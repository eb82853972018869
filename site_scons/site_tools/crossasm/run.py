"""The one place that starts processes of its own: arguments in, what the process said out."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional, Sequence

__all__ = ["Finished", "run"]


@dataclass(frozen=True)
class Finished:
    """A process that has ended."""

    status: int
    """Exit status; minus the number of the signal that ended it; 127 when it did not start."""
    output: str
    errors: str


def run(
    args: Sequence[str],
    *,
    env: Optional[Mapping[str, str]] = None,
    folder: Optional[Path] = None,
    seconds: float = 60,
) -> Finished:
    """Run `args` to its end in `folder`, with nothing to read; return what it said.

    A program that cannot be started, or is not done after `seconds`, is a `Finished` like any
    other, with the reason in `errors`.
    """
    try:
        done = subprocess.run(  # noqa: PLW1510 (the caller reads the status)
            list(args), env=env, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=seconds, encoding="utf-8", errors="surrogateescape",
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        return Finished(127, "", str(fault))
    return Finished(done.returncode, done.stdout, done.stderr)
