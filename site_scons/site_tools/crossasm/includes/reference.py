"""What one file's text names: the references of a source, and the dialect that it is written in."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Callable, FrozenSet, List, Mapping, Optional, Tuple

__all__ = ["DIALECTS", "Dialect", "Joined", "Paste", "Reference", "Scan", "join"]


@dataclass(frozen=True)
class Reference:
    """One place in a text that makes the assembler or its preprocessor read a file."""

    kind: str
    """``include`` (text in the same language), ``cpp`` (text that is preprocessed too),
    ``incbin`` (bytes), or ``probe`` (looked for, perhaps read elsewhere)."""
    name: Optional[str]
    """The name as the assembler takes it, escapes undone; ``None`` when only it can tell."""
    line: int
    """From 1."""
    search: str = "path"
    """``path``: the working folder, then each -I. ``quote``: the includer's folder, then each -I.
    ``angle``: each -I. ``next``: all of these, and every match counts."""


@dataclass(frozen=True)
class Paste:
    """A word that a macro puts together: (text, may be anything) for each of its parts."""

    parts: Tuple[Tuple[str, bool], ...]
    line: int


@dataclass(frozen=True)
class Scan:
    """All that one text says about the files it leads to."""

    references: Tuple[Reference, ...]
    pastes: Tuple[Paste, ...] = ()
    pieces: FrozenSet[str] = frozenset()
    """Words in lower case that could be part of a directive's name, for a paste to use."""


@dataclass(frozen=True)
class Dialect:
    """How an assembler splits a text; one row per assembler and machine."""

    name: str
    syntax: str
    """``nasm`` or ``gas``."""
    comment: str = ""
    """Regular expression for what starts a comment anywhere on a line."""
    line_comment: str = ""
    """The same at the start of a line only."""
    preprocessed: bool = False
    """The C preprocessor goes over the text first."""
    argument: str = ""
    """Regular expression for a macro's argument beside the backslash forms."""

    @property
    def after_cpp(self) -> Dialect:
        """The dialect of what the assembler itself reads in a preprocessed source."""
        return DIALECTS[self.name.replace("cpp-", "")]


_X86_GAS = Dialect("gas-x86", "gas", comment="#", line_comment=r"\#|/(?!\*)")
_ARM_GAS = Dialect("gas-arm64", "gas", comment="//", line_comment=r"\#")
_X86_CLANG = Dialect("clang-x86", "gas", comment="#|//")
_ARM_CLANG = Dialect("clang-arm64", "gas", comment="//", line_comment=r"\#")
_MAC_CLANG = Dialect("clang-macos", "gas", comment="//|;", line_comment=r"\#", argument=r"\$[0-9n]")

_PLAIN = (Dialect("nasm", "nasm", comment=";"),
          _X86_GAS, _ARM_GAS, _X86_CLANG, _ARM_CLANG, _MAC_CLANG)
_CPP = tuple(
    replace(row, name=f"cpp-{row.name}", preprocessed=True) for row in _PLAIN if row.syntax == "gas"
)

DIALECTS: Mapping[str, Dialect] = {row.name: row for row in (*_PLAIN, *_CPP)}
"""By name: ``nasm``, ``gas-x86``, ``gas-arm64``, ``clang-x86``, …, ``cpp-gas-x86``, …"""


@dataclass(frozen=True)
class Joined:
    """A text whose continued lines were joined, and the way back to line numbers."""

    text: str
    line: Callable[[int], int]
    """Offset in the joined text to line number, from 1, in the file."""


def join(text: str, continuation: Optional[str], ends: str) -> Joined:
    """Join lines at the pattern `continuation`, and make each of the characters `ends` a newline.

    ``ends`` are the characters beside the line feed that end a line for one assembler at least:
    taking one for the end of a line too often can only show more of the text, never hide any.
    """
    plain = re.sub(f"\r\n|[{ends}]", "\n", text) if ends else text
    kept: List[str] = []
    starts, lines = [0], [1]
    at = length = 0
    for match in re.finditer(f"{continuation}|\n" if continuation else "\n", plain):
        cut = match.start() if match.group() != "\n" else match.end()
        kept.append(plain[at:cut])
        length += cut - at
        at = match.end()
        starts.append(length)
        lines.append(lines[-1] + 1)
    kept.append(plain[at:])
    return Joined("".join(kept), lambda offset: lines[bisect_right(starts, offset) - 1])
