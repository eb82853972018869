"""Read what dyld is to write into a Mach-O program before it starts, in both of its forms.

Up to macOS 11 these are the opcodes of LC_DYLD_INFO (<mach-o/loader.h>), later the chains of
LC_DYLD_CHAINED_FIXUPS (<mach-o/fixup-chains.h>):
https://github.com/apple-oss-distributions/dyld/blob/main/include/mach-o/fixup-chains.h
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, List, Mapping, Sequence, Set, Tuple

from .fields import Fields, Malformed, shown

__all__ = ["Fixups", "chained", "opcodes"]

# An opcode is the high half of a byte. To each, how many LEB128 numbers follow it.
_REBASE_NUMBERS = {0x20: 1, 0x30: 1, 0x60: 1, 0x70: 1, 0x80: 2}
_BIND_NUMBERS = {0x20: 1, 0x60: 1, 0x70: 1, 0x80: 1, 0xA0: 1, 0xC0: 2}
_REBASE_SET_SEGMENT = 0x20
_BIND_SET_ORDINAL_IMM, _BIND_SET_ORDINAL_ULEB, _BIND_SET_ORDINAL_SPECIAL = 0x10, 0x20, 0x30
_BIND_SET_SYMBOL, _BIND_SET_SEGMENT = 0x40, 0x70
_BINDS = (0x90, 0xA0, 0xB0, 0xC0)
_LONGEST_NUMBER = 10
# imports_format to `struct` layout, and bits of the ordinal and of what precedes the name:
# DYLD_CHAINED_IMPORT, _ADDEND and _ADDEND64.
_IMPORTS = {1: ("I", 8, 9), 2: ("Ii", 8, 9), 3: ("QQ", 16, 32)}
_PAGE_START_NONE = 0xFFFF


@dataclass(frozen=True)
class Fixups:
    """Which segments are written to, by index, and which symbols are looked up.

    A symbol comes with the ordinal of its library as the symbol table would write it: from 1, or
    0xff, 0xfe and 0xfd for the program itself, any library, and weak lookup.
    """

    segments: Tuple[int, ...] = ()
    imports: Tuple[Tuple[str, int], ...] = ()

    def joined(self, other: Fixups) -> Fixups:
        segments = sorted({*self.segments, *other.segments})
        return Fixups(tuple(segments), self.imports + other.imports)


def opcodes(fields: Fields, tables: Sequence[int]) -> Fixups:
    """Return what LC_DYLD_INFO says, given offset and size of each of its first four tables.

    These are: rebase, bind, weak bind, lazy bind. Raises Malformed when one is damaged.
    """
    rebase, bind, weak, lazy = (
        fields.part(tables[at], tables[at + 1], "a table of LC_DYLD_INFO").data
        for at in range(0, 8, 2))
    rebased = tuple(immediate for operation, immediate, _, _ in _steps(rebase, _REBASE_NUMBERS)
                    if operation == _REBASE_SET_SEGMENT)
    weakly = Fixups(_bound(weak).segments)
    return Fixups(rebased).joined(_bound(bind)).joined(weakly).joined(_bound(lazy))


def _bound(code: bytes) -> Fixups:
    """Run the opcodes of one bind table, as far as symbols, libraries and segments go."""
    segments: Set[int] = set()
    imports: List[Tuple[str, int]] = []
    symbol, ordinal = "", 0
    for operation, immediate, number, name in _steps(code, _BIND_NUMBERS, _BIND_SET_SYMBOL):
        if operation == _BIND_SET_ORDINAL_IMM:
            ordinal = immediate
        elif operation == _BIND_SET_ORDINAL_ULEB:
            ordinal = number
        elif operation == _BIND_SET_ORDINAL_SPECIAL:
            ordinal = immediate and immediate | 0xF0
        elif operation == _BIND_SET_SYMBOL:
            symbol = name
        elif operation == _BIND_SET_SEGMENT:
            segments.add(immediate)
        elif operation in _BINDS:
            imports.append((symbol, ordinal))
    return Fixups(tuple(segments), tuple(imports))


def _steps(code: bytes, numbers: Mapping[int, int],
           named: int = -1) -> Iterator[Tuple[int, int, int, str]]:
    """Yield each opcode with its immediate, its last number and, if it is `named`, its name."""
    at = 0
    while at < len(code):
        operation, immediate, at = code[at] & 0xF0, code[at] & 0xF, at + 1
        number, name = 0, ""
        if operation == named:
            end = code.find(0, at) % (len(code) + 1)
            name, at = shown(code[at:end]), end + 1
        for _ in range(numbers.get(operation, 0)):
            number, at = _leb128(code, at)
        yield operation, immediate, number, name


def _leb128(code: bytes, at: int) -> Tuple[int, int]:
    """Return the number at an offset, without a sign, and the offset after it."""
    value = 0
    for place, byte in enumerate(code[at:at + _LONGEST_NUMBER]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise Malformed("a number without an end in a table of LC_DYLD_INFO")


def chained(fields: Fields) -> Fixups:
    """Return what the data of LC_DYLD_CHAINED_FIXUPS say. Raises Malformed when damaged."""
    _, starts_at, imports_at, names_at, count, form, _ = fields.read(
        "7I", 0, "the chained fixups")
    if form not in _IMPORTS:
        raise Malformed(f"chained fixups with imports of an unknown format ({form})")
    layout, ordinal_bits, name_shift = _IMPORTS[form]
    size = count * len(layout) * (8 if form == 3 else 4)
    imports = [
        (fields.text(names_at + (row[0] >> name_shift)), _ordinal(row[0], ordinal_bits))
        for row in fields.table(layout, imports_at, size, "the imports of the chained fixups")]
    return Fixups(tuple(_chain_segments(fields, starts_at)), tuple(imports))


def _ordinal(word: int, bits: int) -> int:
    """Return the ordinal in the low bits of an import, a negative one as eight bits."""
    ordinal = word & (1 << bits) - 1
    return ordinal & 0xFF if ordinal >= (1 << bits) - 16 else ordinal


def _chain_segments(fields: Fields, starts_at: int) -> Iterator[int]:
    """Yield the indices of the segments that have a page with a chain."""
    count = fields.read("I", starts_at, "the chained fixups")[0]
    offsets = fields.table("I", starts_at + 4, count * 4, "the starts of the chained fixups")
    for index, (offset,) in enumerate(offsets):
        if offset:
            segment = starts_at + offset
            pages = fields.read("H", segment + 20, "the chains of a segment")[0]
            starts = fields.table("H", segment + 22, pages * 2, "the chains of a segment")
            if any(start != _PAGE_START_NONE for (start,) in starts):
                yield index
