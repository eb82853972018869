"""What a GAS or clang text names: ``.include``, ``.incbin``, and ``#include`` where cpp goes first.

The text is split as the assembler at hand splits it (its row of `DIALECTS`). Where a quote is left
open at the end of a line, whether the string goes on depends on what the preprocessor drops: both
readings are taken, and all that either finds counts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Iterator, List, Match, Optional, Pattern, Set, Tuple

from .pastes import is_piece
from .reference import Dialect, Joined, Paste, Reference, Scan, join

__all__ = ["scan"]

_BLANK = r"(?:[ \t\f\v]|/\*(?:[^*]|\*(?!/))*\*/)*"
_HEADER = r"include_next|include|import|embed|pragma[ \t]+GCC[ \t]+dependency"
_PROBE = r"__has_include_next|__has_include|__has_embed"
_OPERAND = r"<[^>\n]*>|\"[^\"\n]*\"|"
_WORD = r"[\w.$]+"
_ARGUMENT = r"\\(?:\(\)|[\w.$]+|[@+&])"
_DIRECTIVES = {".include": "include", ".incbin": "incbin"}
_DOUBTFUL = {"include", "incbin", ".altmacro", ".mri"}
_INSIDE = re.compile(r"\b(?:include|incbin)\b", re.IGNORECASE)


def scan(text: str, dialect: Dialect) -> Scan:
    """Return what `text` names; both branches of each conditional, and the bodies of macros."""
    ends = "\r" if "clang" in dialect.name or dialect.preprocessed else ""
    joined = join(text, r"\\[ \t\f\v]*(?:\r\n|\n|\r)" if dialect.preprocessed else None, ends)
    references: Set[Reference] = set()
    pastes: Set[Paste] = set()
    pieces: Set[str] = set()
    readings = _readings(joined, dialect)
    for number, tokens in enumerate(readings):
        likely = len(readings) == 1 or number == int(dialect.preprocessed)
        references.update(_references(tokens, joined, likely=likely))
        pastes.update(_pastes(tokens, joined))
        pieces.update(word for token in tokens for word in _pieces(token))
    order = sorted(references, key=lambda ref: (ref.line, ref.kind, ref.name or ""))
    return Scan(tuple(order), tuple(sorted(pastes, key=lambda paste: (paste.line, paste.parts))),
                frozenset(pieces))


def _readings(joined: Joined, dialect: Dialect) -> List[List[Match[str]]]:
    """Return the tokens where strings span lines, and, if one does, those where none does."""
    spanning = _tokens(joined, dialect, spans=True)
    if not any(token.lastgroup == "string" and "\n" in token.group() for token in spanning):
        return [spanning]
    return [spanning, _tokens(joined, dialect, spans=False)]


@lru_cache(maxsize=256)
def _lexer(dialect: Dialect, *, spans: bool, directive: bool = False) -> Pattern[str]:
    """Return the expression whose groups are the tokens of a dialect under one reading.

    `directive` is for the rest of a ``#define``, where ``#`` is no comment but cpp's operator.
    """
    comment = "//" if directive else f"//|{dialect.comment}" if dialect.preprocessed \
        else dialect.comment
    inner, end = (r"(?:\\[\s\S]|[^\"\\])*", r"\Z") if spans and not directive else (
        r"(?:\\[^\n]|[^\"\\\n])*", r"$")
    argument = f"{_ARGUMENT}|{dialect.argument}" if dialect.argument else _ARGUMENT
    groups = [
        r"(?P<constant>'(?:\\.|[^\n\\])'?)",
        rf"(?P<line_comment>^[ \t\f\v]*(?:{dialect.line_comment})[^\n]*)"
        if dialect.line_comment and not dialect.preprocessed else "",
        *(_cpp_groups(directive) if dialect.preprocessed else ()),
        rf"(?P<comment>/\*[\s\S]*?(?:\*/|\Z)|(?:{comment})[^\n]*)",
        rf'(?P<string>"{inner}(?:"|{end}))',
        rf"(?P<paste>(?:{_WORD})?(?:{argument})(?:{argument}|{_WORD})*)",
        rf"(?P<word>{_WORD})",
        r"(?P<other>[^\s])",
    ]
    return re.compile("|".join(filter(None, groups)), re.MULTILINE | re.IGNORECASE)


def _cpp_groups(directive: bool) -> Tuple[str, ...]:
    """Return the tokens that only a preprocessed text has."""
    glue = r"(?P<glue>[\w.]+\s*(?:(?:\#\#|%:%:)\s*[\w.]+\s*)+)"
    probe = rf"define[ \t]+(?:{_PROBE})\b|(?P<probe>\b(?:{_PROBE}){_BLANK}\({_BLANK}(?:{_OPERAND}))"
    header = rf"(?P<header>(?:\#|%:){_BLANK}(?:{_HEADER})\b{_BLANK}(?:{_OPERAND}))"
    define = rf"(?P<define>^{_BLANK}(?:\#|%:)(?!{_BLANK}(?:{_HEADER})\b)[^\n]*)"
    return (probe, glue) if directive else (header, define)


def _tokens(joined: Joined, dialect: Dialect, *, spans: bool) -> List[Match[str]]:
    """Return the tokens of a text, comments left out."""
    tokens: List[Match[str]] = []
    for token in _lexer(dialect, spans=spans).finditer(joined.text):
        if token.lastgroup == "define":
            inner = _lexer(dialect, spans=spans, directive=True)
            tokens.extend(inner.finditer(joined.text, token.start(), token.end()))
        elif token.lastgroup not in {"comment", "line_comment", "constant"}:
            tokens.append(token)
    return [token for token in tokens if token.lastgroup not in {"comment", "constant"}]


def _references(
    tokens: List[Match[str]], joined: Joined, *, likely: bool
) -> Iterator[Reference]:
    """Return what the tokens name, in order.

    A string may hold a directive for a macro to use; in a reading that is not the `likely` one,
    strings are mostly what stands between two others, and say nothing.
    """
    for index, token in enumerate(tokens):
        line = joined.line(token.start())
        kind, text = token.lastgroup, token.group()
        if kind in {"header", "probe"}:
            yield _header(text, line, probe=kind == "probe")
        elif kind == "word" and text.lower() in _DIRECTIVES:
            following = tokens[index + 1] if index + 1 < len(tokens) else None
            yield Reference(_DIRECTIVES[text.lower()], _literal(following), line)
        elif (kind == "word" and text.lower() in _DOUBTFUL) or (
            likely and kind == "string" and _INSIDE.search(text) and not _is_operand(tokens, index)
        ):
            yield Reference("include", None, line)


def _is_operand(tokens: List[Match[str]], index: int) -> bool:
    """Tell whether a string is a file's name, or text that the program itself holds."""
    before = tokens[index - 1].group().lower() if index else ""
    return before in {*_DIRECTIVES, ".ascii", ".asciz", ".string", ".error", ".warning"}


def _literal(following: Optional[Match[str]]) -> Optional[str]:
    """Return the text of the string that comes next, or None when a macro has a say in it."""
    if following is None or following.lastgroup != "string":
        return None
    quoted = following.group()
    plain = len(quoted) > 1 and quoted[-1] == '"' and "\\" not in quoted and "$" not in quoted
    return quoted[1:-1] if plain else None


def _header(text: str, line: int, *, probe: bool) -> Reference:
    """Return the reference of an ``#include`` and its kin, or of a ``__has_include``."""
    word = re.sub(r"/\*[\s\S]*?\*/", " ", text).lstrip("#%: \t\f\v").lower()
    quoted = re.search(r'<([^>]*)>\Z|"([^"]*)"\Z', text)
    search = "next" if "_next" in word else "quote" if quoted and quoted.group(2) else "angle"
    kind = "probe" if probe or word.startswith("pragma") else \
        "incbin" if word.startswith("embed") else "cpp"
    name = (quoted.group(1) or quoted.group(2)) if quoted else None
    return Reference(kind, name, line, search)


def _pastes(tokens: List[Match[str]], joined: Joined) -> Iterator[Paste]:
    """Return the words that macros put together; a lone argument is whole where it is given."""
    for token in tokens:
        if token.lastgroup == "paste":
            parts = tuple(
                ("", True) if part.group()[0] in "\\$" else (part.group(), False)
                for part in re.finditer(rf"{_ARGUMENT}|\$[0-9n]|[\w.]+|\$", token.group())
            )
            yield Paste(parts, joined.line(token.start()))
        elif token.lastgroup == "glue":
            words = re.findall(r"[\w.]+", token.group())
            yield Paste(tuple((word, True) for word in words), joined.line(token.start()))


def _pieces(token: Match[str]) -> Iterator[str]:
    """Return the words of a token that could be part of a directive's name."""
    if token.lastgroup in {"word", "paste", "string", "glue"}:
        for word in re.findall(_WORD, token.group()):
            if is_piece(word):
                yield word.lower()
