"""Readers of single values of ``crossasm.toml``: a TOML value in, a typed one out, or a fault.

A reader takes the value and its place. It returns None when it noted a fault there, so that the
rest of the file is read all the same and every fault is told at once.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Callable, List, Mapping, Optional, Tuple

from ..errors import nearest
from .faults import Place, found, shown

__all__ = ["Reader", "array_of", "choice", "defines", "flags", "size", "string", "switch", "text"]

Reader = Callable[[object, Place], Any]

_CONTROL = {"Cc", "Zl", "Zp"}
"""Unicode's categories of control characters and of line and paragraph separators."""
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIZE = re.compile(r"([0-9]{1,18}) ?(B|KiB|MiB|GiB)?")
_UNITS = {None: 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_NUMBERS = range(-2**63, 2**64)
"""What an assembler's 64-bit number can hold, signed or not."""

_OURS = "is set by the tool; remove it"
_PATH = "is not for flags; write the folder under the key 'path'"
_INCLUDE = "is not for flags; write an #include in the source"
_DEFINES = "is not for flags; write the name under the key 'defines'"
_READS = "is set by the tool, which finds by itself what a source reads; remove it"
_RESPONSE = "names a file of flags, which the tool does not read; write the flags here"
_ASSEMBLER_FLAGS: Mapping[str, Tuple[Tuple[str, str], ...]] = {
    "nasm": (("-o", _OURS), ("-[fEe]", _OURS), ("-[Ii]", _PATH), ("-[Dd]", _DEFINES),
             ("-M", _READS), ("-@", _RESPONSE)),
    "gas": (("-o", _OURS), ("-I", _PATH), ("-D|--defsym", _DEFINES), ("-M|--MD", _READS),
            ("@", _RESPONSE)),
    "clang": (("-o", _OURS), ("-[cES]$|-target|--target", _OURS),
              ("-include|-imacros", _INCLUDE), ("-I|-i(system|quote|dirafter)", _PATH),
              ("-D|--defsym", _DEFINES), ("-M", _READS), ("@", _RESPONSE)),
}
_REFUSED: Mapping[str, Tuple[Tuple[str, str], ...]] = {
    **_ASSEMBLER_FLAGS,
    "every": tuple(row for rows in _ASSEMBLER_FLAGS.values() for row in rows),
    "link": ((r"-o(?!rder_file|bjc)|--output", _OURS), ("-m$|-melf|-maarch64", _OURS),
             ("-e$|--?entry", _OURS), ("--?threads", _OURS),
             ("@", _RESPONSE)),
}
"""Per tool: how a flag begins that the project must not give, and what to do instead."""


def string(value: object, place: Place) -> Optional[str]:
    """Read a string on one line, without control characters; it may be empty."""
    if not isinstance(value, str):
        place.wants(value, "a string")
        return None
    control = next((char for char in value if unicodedata.category(char) in _CONTROL), None)
    if control:
        place.fault(f"{shown(value)} holds the control character U+{ord(control):04X}; remove it")
        return None
    return value


def text(rule: str, fault: str) -> Callable[[object, Place], Optional[str]]:
    """Return a reader of strings that match the regular expression `rule` as a whole."""
    pattern = re.compile(rule)

    def read(value: object, place: Place) -> Optional[str]:
        word = string(value, place)
        if word is None or pattern.fullmatch(word):
            return word
        place.fault(f"{shown(word)} {fault}" if word else
                    f"is empty; write for example {place.example}")
        return None
    return read


def switch(value: object, place: Place) -> Optional[bool]:
    """Read ``true`` or ``false``."""
    if isinstance(value, bool):
        return value
    place.wants(value, "true or false")
    return None


def choice(*names: str) -> Reader:
    """Return a reader of one word out of `names`."""
    def read(value: object, place: Place) -> Optional[str]:
        word = string(value, place)
        if word is None or word in names:
            return word
        known = " or ".join(f'"{name}"' for name in names)
        hint = nearest(word, names, otherwise=f"; write {known}")
        place.fault(f"{shown(word)} is no choice here{hint}")
        return None
    return read


def array_of(item: Reader, wanted: str = "an array of strings") -> Reader:
    """Return a reader of arrays, as tuples; what `item` finds wrong is left out."""
    def read(value: object, place: Place) -> Optional[Tuple[Any, ...]]:
        if not isinstance(value, list):
            place.wants(value, wanted)
            return None
        read_items = [item(each, place) for each in value]
        return tuple(each for each in read_items if each is not None)
    return read


def flags(tool: str) -> Reader:
    """Return a reader of arrays of flags for `tool`: an assembler, ``every`` one, or ``link``."""
    rows = [(re.compile(rule), fault) for rule, fault in _REFUSED[tool]]

    def read(value: object, place: Place) -> Optional[str]:
        flag = text(".+", "")(value, place)
        parts = flag.split(",")[1:] if flag and flag.startswith("-Wa,") else [flag or ""]
        fault = next((fault for part in parts for rule, fault in rows if rule.match(part)), None)
        if fault:
            place.fault(f"{shown(flag)} {fault}")
        return flag
    return array_of(read)


def defines(value: object, place: Place) -> Optional[Tuple[Tuple[str, str], ...]]:
    """Read a table of names to values; ``true`` gives the bare name, that is an empty value."""
    if not isinstance(value, dict):
        place.wants(value, "a table of names to values")
        return None
    pairs: List[Tuple[str, str]] = []
    for name, given in value.items():
        here = place.at(name)
        if not _IDENTIFIER.fullmatch(name):
            here.fault("is no name to define; use letters, digits and '_', "
                       "and begin with no digit")
        defined = _defined(given, here)
        if defined is not None:
            pairs.append((name, defined))
    return tuple(pairs)


def _defined(value: object, place: Place) -> Optional[str]:
    if value is True:
        return ""
    if isinstance(value, str):
        return text(".+", "")(value, place)
    if isinstance(value, int) and not isinstance(value, bool):
        if value in _NUMBERS:
            return str(value)
        place.fault(f"{shown(value)} does not fit into 64 bits; write a smaller number")
        return None
    place.wants(value, "true, a string or an integer")
    return None


def size(value: object, place: Place) -> Optional[int]:
    """Read a count of bytes: a positive integer, or one in a string with a binary unit."""
    whole = isinstance(value, int) and not isinstance(value, bool) and value in _NUMBERS
    parts = _SIZE.fullmatch(str(value)) if whole or isinstance(value, str) else None
    count = int(parts[1]) * _UNITS[parts[2]] if parts else 0
    if count:
        return count
    what = found(value) if isinstance(value, (list, dict)) else f"{shown(value)} is no size"
    place.fault(f'{what}; write bytes or a binary unit, for example "10 KiB"')
    return None
