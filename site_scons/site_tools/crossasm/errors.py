"""What a user is told: one line per fault, and a suggestion for a misspelled name."""

from __future__ import annotations

import difflib
from typing import Iterable, Optional, Sequence

__all__ = ["CrossasmError", "nearest"]


class CrossasmError(Exception):
    """Faults of the project or of the machine, each a whole line for the user.

    A line names the place (file and key, program, or command line), the fault and the remedy.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines: Sequence[str] = lines


def nearest(word: str, known: Iterable[str], otherwise: Optional[str] = None) -> str:
    """Return ``; did you mean 'x'?`` for the known name nearest to `word`.

    Where none is near, return `otherwise`, or the list of all.
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    if otherwise is not None:
        return otherwise
    return f"; known: {', '.join(names)}" if names else ""
