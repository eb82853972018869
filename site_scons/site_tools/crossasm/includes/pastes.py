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


def is_piece(word: str) -> bool:
    """Tell whether `word` is a proper part of the name of a directive that reads a file."""
    lowered = word.lower()
    return lowered in _PARTS and lowered not in _NAMES


def directive_made(pastes: Sequence[Paste], pieces: Iterable[str]) -> Optional[Paste]:
    """Return the paste that can make a directive's name, or None.

    Every string that is a part of such a name and that the pastes can make out of `pieces` is
    worked out, until no more come: there are fewer than a hundred, so that soon ends.
    """
    made: Set[str] = {piece for piece in pieces if is_piece(piece)}
    while True:
        before = len(made)
        for paste in pastes:
            results = _results(paste, made)
            if results.intersection(_NAMES):
                return paste
            made |= results
        if len(made) == before:
            return None


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
