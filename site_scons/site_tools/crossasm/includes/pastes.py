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

    Either one paste makes it out of words of the text, of any length; or several do, one using
    what another made, out of words of two letters at least. Every text has most single letters as
    words, so several pastes could make any name out of those: none is known that does.
    """
    viable = {paste.parts: paste for paste in pastes if _is_viable(paste)}
    words = {piece for piece in pieces if is_piece(piece)}
    for paste in viable.values():
        if _names(paste, words):
            return paste
    made = {word for word in words if len(word) > 1}
    while True:
        before = len(made)
        for paste in viable.values():
            if _names(paste, made):
                return paste
            made |= {word for word in _results(paste, made) if len(word) > 1}
        if len(made) == before:
            return None


def _is_viable(paste: Paste) -> bool:
    """Tell whether a paste has several parts, all of which a name could have."""
    return len(paste.parts) > 1 and all(
        anything or text.lower() in _PARTS for text, anything in paste.parts)


def _names(paste: Paste, made: Set[str]) -> Set[str]:
    """Return the directives whose name a paste makes.

    NASM's ``%require`` must have its sign in the text, so a part of it too stands there.
    """
    names = _results(paste, made).intersection(_NAMES)
    return names if any(not anything for _, anything in paste.parts) else names - {"require"}


def _results(paste: Paste, made: Set[str]) -> Set[str]:
    """Return the parts of names that one paste makes when it may use the strings `made`."""
    results = {""}
    for text, anything in paste.parts:
        choices = {text.lower(), "", *made} if anything else {text.lower()}
        results = {
            left + right for left in results for right in choices
            if not left + right or left + right in _PARTS
        }
    return results - {""}
