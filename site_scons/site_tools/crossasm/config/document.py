"""From the path of a TOML file to the nested tables in it, or one line that says why not."""

# ruff: noqa: PTH110, PTH112, PTH113, PTH208
# os.path answers False where Path raises: a name that is too long, a NUL, a loop of links.
from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import Any, Dict

from ..errors import CrossasmError, nearest
from .faults import header, printable

__all__ = ["read_document"]

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TWICE = re.compile(r"Cannot declare (\(.*\)) twice")


def read_document(path: Path) -> Dict[str, Any]:
    """Return the tables of the TOML file, in its order (https://toml.io/en/v1.0.0).

    Raises CrossasmError with one line for a file that is absent, no regular file, unreadable,
    not UTF-8 or not TOML, and when tomli is not installed.
    """
    try:
        import tomli  # noqa: PLC0415 - its absence is told as a line, not as a traceback
    except ImportError:
        raise CrossasmError(
            f"{_name(path)}: cannot be read without the Python package tomli; "
            "install it: python3 -m pip install tomli",
        ) from None
    text = _decoded(path)
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise CrossasmError(f"{_name(path)}: {_syntax_fault(str(error), text)}") from None
    except (ValueError, RecursionError) as error:  # Python's limits: digits, nesting
        what = printable(str(error).split(";")[0])
        raise CrossasmError(f"{_name(path)}: is beyond what can be read ({what}); "
                            "shorten it") from None


def _decoded(path: Path) -> str:
    try:
        text = _content(path).decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CrossasmError(f"{_name(path)}: line {line}: byte {error.object[error.start]:#04x} is "
                            "not UTF-8; save the file as UTF-8") from None
    if text.startswith("\ufeff"):
        raise CrossasmError(f"{_name(path)}: begins with a byte order mark; "
                            "save the file as UTF-8 without it")
    return text


def _content(path: Path) -> bytes:
    if os.path.isdir(path):
        raise CrossasmError(f"{_name(path)}: is a folder; name the TOML file in it")
    if os.path.exists(path) and not os.path.isfile(path):
        raise CrossasmError(f"{_name(path)}: is no regular file; name a TOML file")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CrossasmError(f"{_name(path)}: does not exist{_neighbour(path)}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = getattr(error, "strerror", None) or error
        raise CrossasmError(f"{_name(path)}: cannot be read ({why}); "
                            "make it a file that you may read") from None


def _neighbour(path: Path) -> str:
    """Return the hint for an absent file: the TOML file beside it with the nearest name."""
    try:
        names = [name for name in os.listdir(path.parent) if name.endswith(".toml")]
    except OSError:
        names = []
    return nearest(path.name, (name for name in names if name.isprintable()),
                   otherwise="; create it, or start where it is")


def _syntax_fault(message: str, text: str) -> str:
    """Turn a message of tomli's (``What (at line 1, column 2)``) into place and fault."""
    place = _POSITION.search(message)
    what = message[:place.start()] if place else message
    if place and place[1]:
        return f"line {place[1]}, column {place[2]}: {_reworded(what)}"
    line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    return f"line {line}, column {column}: {_reworded(what)} at the end of the file"


def _reworded(what: str) -> str:
    twice = _TWICE.fullmatch(what)
    if twice:
        keys = header(ast.literal_eval(twice[1]))
        return f"the table [{keys}] is declared twice; rename one or join them"
    if what.startswith(("Cannot overwrite", "Duplicate inline")):
        return "the key was given before; remove one of the two"
    return printable(what[:1].lower() + what[1:])


def _name(path: Path) -> str:
    return printable(str(path))
