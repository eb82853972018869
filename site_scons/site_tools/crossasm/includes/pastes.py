"""Whether macros that put words together can make a directive's name out of a source's words."""

from __future__ import annotations

from typing import FrozenSet, Iterable, Optional, Sequence, Set

from .reference import Paste

__all__ = ["directive_made", "is_piece"]

_NAMES = (".include", ".incbin", "include", "incbin", "require")
_PARTS: FrozenSet[str] = frozenset(
    name[start:end]
    for name in _NAMES for start in range(len(name)) for end in range(start + 1, len(name) + 1)
)
"""Every string that the name of a directive that reads a file has in it."""


def is_piece(word: str) -> bool:
    """Tell whether `word` is a proper part of the name of a directive that reads a file."""
    lowered = word.lower()
    return lowered in _PARTS and lowered not in _NAMES


def directive_made(pastes: Sequence[Paste], pieces: Iterable[str]) -> Optional[Paste]:
    """Return a paste that can make a directive's name, or None.

    It may use two words of the text at most, beside what stands in it, or any number of words of
    two letters or more. Every text has most single letters as words, and many pastes that others
    could build on: names made in several steps, or out of three pieces with single letters among
    them, are not looked for, or half of all sources with macros would count.
    """
    viable = {paste.parts: paste for paste in pastes if _is_viable(paste)}
    words = {piece for piece in pieces if is_piece(piece)}
    longer = {word for word in words if len(word) > 1}
    for paste in viable.values():
        if _names(paste, words, most=2) or _names(paste, longer, most=len(paste.parts)):
            return paste
    return None


def _is_viable(paste: Paste) -> bool:
    """Tell whether a paste has several parts, all of which a name could have."""
    return len(paste.parts) > 1 and all(
        anything or text.lower() in _PARTS for text, anything in paste.parts)


def _names(paste: Paste, words: Set[str], most: int) -> Set[str]:
    """Return the directives whose name a paste makes with up to `most` of `words`.

    NASM's ``%require`` must have its sign in the text, so a part of it too stands there.
    """
    results = {("", 0)}
    for text, anything in paste.parts:
        choices = [(text.lower(), 0)]
        if anything:
            choices += [("", 0), *((word, 1) for word in words)]
        results = {
            (left + right, used + more) for left, used in results for right, more in choices
            if used + more <= most and (not left + right or left + right in _PARTS)
        }
    names = {text for text, _ in results}.intersection(_NAMES)
    return names if any(not anything for _, anything in paste.parts) else names - {"require"}
