"""Where a value stands in ``crossasm.toml``, and what is wrong there: one line per fault."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any, List, Mapping, Tuple

__all__ = ["Fault", "Place", "found", "header", "in_order", "printable", "shown"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60
"""Characters of a value that a message shows before it is cut."""
_KINDS = (
    (bool, "a boolean"), (int, "an integer"), (float, "a float"), (str, "a string"),
    (datetime, "a date and time"), (date, "a date"), (time, "a time"),
    (list, "an array"), (dict, "a table"),
)
"""TOML's types by Python's; a boolean is an integer to Python and comes first, and so on."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with the value at a key path, and the remedy."""

    keys: Tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{header(self.keys)}: {self.text}"


@dataclass(frozen=True)
class Place:
    """A key path of one file, and the list that all faults of the file go to."""

    root: str
    """The project's folder; absolute."""
    keys: Tuple[str, ...] = ()
    example: str = ""
    """A line of TOML that would be right here."""
    faults: List[Fault] = field(default_factory=list)

    def at(self, key: str, example: str = "") -> Place:
        """Return the place one key further down; it keeps the example when it has no own."""
        return replace(self, keys=(*self.keys, key), example=example or self.example)

    def fault(self, text: str) -> None:
        """Note that the value here is wrong."""
        self.faults.append(Fault(self.keys, text))

    def wants(self, value: object, wanted: str) -> None:
        """Note that the value here is of the wrong type."""
        self.fault(f"{found(value)}; write {wanted}, for example {self.example}")


def in_order(faults: List[Fault], document: Mapping[str, Any]) -> List[Fault]:
    """Return the faults in the order of the file's keys; a missing key stands last in its table."""
    return sorted(faults, key=lambda fault: _position(fault.keys, document))


def _position(keys: Tuple[str, ...], document: Mapping[str, Any]) -> Tuple[int, ...]:
    order = []
    table: object = document
    for key in keys:
        names = list(table) if isinstance(table, dict) else []
        order.append(names.index(key) if key in names else len(names))
        table = table.get(key) if isinstance(table, dict) else None
    return tuple(order)


def header(keys: Tuple[str, ...]) -> str:
    """Return a key path as TOML writes it: dots between, quotes where a key needs them."""
    return ".".join(key if _BARE_KEY.fullmatch(key) else _quoted(key) for key in keys)


def _quoted(key: str) -> str:
    return '"' + printable(_cut(key).replace("\\", "\\\\").replace('"', '\\"')) + '"'


def printable(text: str) -> str:
    """Return `text` on one line: characters that do not print become escapes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def shown(value: object) -> str:
    """Return a value as a message shows it: strings in quotes, one line, cut when long."""
    if isinstance(value, str):
        return repr(_cut(value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > 4 * _LONGEST:
        return _cut(hex(value))  # Python refuses to write very long numbers in decimal
    return _cut(str(value))


def found(value: object) -> str:
    """Say which of TOML's types `value` has, and show it when it fits."""
    kind = next(name for python, name in _KINDS if isinstance(value, python))
    return f"is {kind}" if isinstance(value, (list, dict)) else f"{shown(value)} is {kind}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
