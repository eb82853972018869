"""What a NASM text names: ``%include``, ``incbin`` and their kin, wherever on a line they stand.

The text is split as NASM 2.16 splits it: continued lines are joined before comments are cut, a
string ends with its line, and ``%comment`` blocks count as text, because 2.16 reads them.
"""

from __future__ import annotations

import re
from typing import Iterator, List, Match, Optional, Tuple

from .pastes import is_piece
from .reference import Paste, Reference, Scan, join

__all__ = ["scan"]

_PIECE = r"%\d+|%\{[^{}\n]*\}|%\[[^\[\]\n]*\]|%\??%\w+|%\$+\w+|%!\w+|%[-+]\d+|%\*+\d*|%\?+"
_WORD = r"[\w.?@$#~]+"
_TOKEN = re.compile(
    rf"""(?P<comment>;[^\n]*)
      | (?P<string>"[^"\n]*(?:"|$) | '[^'\n]*(?:'|$) | `(?:\\.|[^`\\\n])*(?:`|$))
      | (?P<directive>%\{{?\s*(?:include|require|pathsearch|depend|deftok|ideftok|tok)\b\}}?)
      | (?P<paste>(?:{_WORD})?(?:{_PIECE}|[ \t]*%\+[ \t]*)(?:{_PIECE}|{_WORD}|[ \t]*%\+[ \t]*)*)
      | (?P<word>{_WORD})
      | (?P<other>[^\s])""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_TELLING = re.compile(r"^[^\n]*?(?:%|inc(?:lude|bin))[^\n]*", re.IGNORECASE | re.MULTILINE)
"""A line that can name a file or put words together; the others, most of a text, need no look."""
_SILENT = re.compile(r""";[^\n]*|"[^"\n]*"?|'[^'\n]*'?|`(?:\\.|[^`\\\n])*`?""")
_WORDS = re.compile(_WORD)
_PART = re.compile(rf"({_PIECE})|[ \t]*%\+[ \t]*|({_WORD})", re.IGNORECASE)


def scan(text: str) -> Scan:
    """Return what `text` names; both branches of each conditional, and the bodies of macros."""
    joined = join(text, r"\\(?:\r\n|\n|\r)", "\r\x1a\0")
    references: List[Reference] = []
    pastes: List[Paste] = []
    words = set(_WORDS.findall(_SILENT.sub(" ", joined.text)))
    pieces = {word.lower() for word in words if is_piece(word)}
    for telling in _TELLING.finditer(joined.text):
        tokens = list(_tokens(joined.text, telling.start(), telling.end()))
        line = joined.line(telling.start())
        for index, token in enumerate(tokens):
            if token.lastgroup == "paste":
                parts = _parts(token.group())
                pastes.append(Paste(parts, line))
                pieces.update(word.lower() for word, _ in parts if is_piece(word))
            elif token.lastgroup in {"word", "directive"}:
                word = re.sub(r"[%{}\s]", "", token.group()).lower()
                found = _reference(word, token.lastgroup == "directive", tokens[index + 1:])
                references.extend(Reference(kind, name, line) for kind, name in found)
    return Scan(tuple(references), tuple(pastes), frozenset(pieces))


def _tokens(text: str, start: int, end: int) -> Iterator[Match[str]]:
    """Yield the tokens of a stretch of text, those inside ``%[…]`` after what they are part of."""
    for token in _TOKEN.finditer(text, start, end):
        if token.lastgroup == "comment":
            continue
        yield token
        if token.lastgroup == "paste":
            for inner in re.finditer(r"%\[([^\[\]\n]*)\]", token.group()):
                yield from _tokens(text, token.start() + inner.start(1),
                                   token.start() + inner.end(1))


def _reference(
    word: str, directive: bool, after: List[Match[str]]
) -> List[Tuple[str, Optional[str]]]:
    """Return (kind, name) for a word and the two tokens that follow it; none if it names none."""
    if word in {"include", "incbin"} or (word == "require" and directive):
        return [("incbin" if word == "incbin" else "include", _literal(after[:1]))]
    if not directive:
        return []
    if word in {"deftok", "ideftok", "tok"}:
        return [("include", None)]
    if word == "pathsearch":
        return [("probe", _literal(after[1:]))]
    name = _literal(after[:1])
    return [("probe", name)] if name is not None else []


def _literal(after: List[Match[str]]) -> Optional[str]:
    """Return the text of the string that comes next, or None when something else does."""
    if not after or after[0].lastgroup != "string":
        return None
    quoted = after[0].group()
    escaped = quoted[0] == "`" and "\\" in quoted
    return None if escaped or len(quoted) < 2 or quoted[-1] != quoted[0] else quoted[1:-1]


def _parts(text: str) -> Tuple[Tuple[str, bool], ...]:
    """Split a pasted word into its parts, each with whether it may be anything.

    A word beside ``%+`` may be a macro's name, so it stands for itself or for anything.
    """
    parts: List[Tuple[str, bool]] = []
    for match in _PART.finditer(text):
        if match.group(1):
            parts.append(("", True))
        elif match.group(2):
            parts.append((match.group(2), "%+" in text))
    return tuple(parts)
