"""Read a linked Mach-O file into the few facts that decide whether macOS will start it.

Names and layouts are those of Apple's <mach-o/loader.h> and <mach-o/nlist.h>:
https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

from .fields import Fields, Malformed
from .fixups import Fixups, chained, opcodes
from .verdict import Segment, rights

__all__ = ["Header", "Import", "MachO", "read", "read_header"]

_MAGICS = {
    b"\xcf\xfa\xed\xfe": (64, "<"), b"\xce\xfa\xed\xfe": (32, "<"),
    b"\xfe\xed\xfa\xcf": (64, ">"), b"\xfe\xed\xfa\xce": (32, ">"),
}
_FAT = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
_HEADER_SIZE = 32
_LC_SYMTAB, _LC_DYSYMTAB, _LC_LOAD_DYLINKER, _LC_UUID = 0x2, 0xB, 0xE, 0x1B
_LC_SEGMENT_64, _LC_CODE_SIGNATURE, _LC_BUILD_VERSION, _LC_MAIN = 0x19, 0x1D, 0x32, 0x80000028
_LC_DYLD_INFO = (0x22, 0x80000022)
_LC_DYLD_CHAINED_FIXUPS = 0x80000034
# LC_LOAD_DYLIB, _WEAK_DYLIB, _REEXPORT_DYLIB, LC_LAZY_LOAD_DYLIB, LC_LOAD_UPWARD_DYLIB
_LIBRARIES = (0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023)
# LC_CODE_SIGNATURE, LC_SEGMENT_SPLIT_INFO, LC_FUNCTION_STARTS, LC_DATA_IN_CODE,
# LC_DYLD_EXPORTS_TRIE, LC_DYLD_CHAINED_FIXUPS: each an offset and a size in the file
_LINKEDIT_DATA = (0x1D, 0x1E, 0x26, 0x29, 0x80000033, 0x80000034)
_SECTION_SIZE = 80
_S_ZEROFILLS = (0x1, 0xC, 0x12)  # S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL
_S_ATTR_INSTRUCTIONS = 0x80000400  # S_ATTR_PURE_INSTRUCTIONS or S_ATTR_SOME_INSTRUCTIONS
_N_STAB, _N_TYPE, _N_EXT = 0xE0, 0x0E, 0x01
_N_UNDF = 0


@dataclass(frozen=True)
class Header:
    """The fields of mach_header_64 by which a file is recognised."""

    bits: int
    order: str
    """``<`` for little-endian, ``>`` for big-endian."""
    machine: int
    """cputype."""
    variant: int
    """cpusubtype without its capability bits."""
    kind: int
    """filetype."""
    flags: int


@dataclass(frozen=True)
class Import:
    """A symbol that dyld is to find."""

    symbol: str
    ordinal: int
    """Which library, counted from 1 in the order of the load commands; else a special way."""


@dataclass(frozen=True)
class MachO:
    """A linked program, as far as loading it goes."""

    segments: Tuple[Segment, ...]
    code: Tuple[Tuple[int, int], ...]
    """First and end offset in the file of each section of instructions that may be executed."""
    libraries: Tuple[str, ...]
    loaders: Tuple[str, ...]
    platforms: Tuple[Tuple[int, str], ...]
    """Platform and oldest system, as ``11.0``, of each LC_BUILD_VERSION."""
    entries: Tuple[int, ...]
    """Offset in the file of each LC_MAIN."""
    uuid: bool
    imports: Tuple[Import, ...]
    relocated: Tuple[int, ...]
    """Indices of the segments that dyld writes addresses into."""
    signatures: Tuple[Tuple[int, int], ...]
    """Offset and size in the file of each LC_CODE_SIGNATURE."""


_Commands = Mapping[int, Sequence[Fields]]


def read_header(data: bytes) -> Header:
    """Return the Mach-O header. Raises Malformed when there is none."""
    if data[:4] in _FAT:
        raise Malformed("a universal file of several machines' programs")
    if data[:4] not in _MAGICS:
        start = data[:4].hex(" ") or "nothing"
        raise Malformed(f"not a Mach-O file (it begins with {start})")
    bits, order = _MAGICS[data[:4]]
    machine, variant, kind, _count, _size, flags = Fields(data, order).read(
        "IIIIII", 4, "the Mach-O header")
    return Header(bits, order, machine, variant & 0xFFFFFF, kind, flags)


def read(data: bytes) -> MachO:
    """Return what the load commands of a 64-bit, little-endian file say.

    Raises Malformed when the file is damaged.
    """
    fields = Fields(data)
    commands = _commands(fields)
    _check_linkedit(fields, commands)
    segments = [_segment(command) for command in commands.get(_LC_SEGMENT_64, ())]
    fixups = _fixups(fields, commands)
    symbols = (*_undefined(fields, commands), *fixups.imports)
    return MachO(
        segments=tuple(_in_file(fields, segments)),
        code=tuple(_code(commands.get(_LC_SEGMENT_64, ()), segments)),
        libraries=tuple(_name(part) for part in commands.get(_LIBRARIES[0], ())),
        loaders=tuple(_name(part) for part in commands.get(_LC_LOAD_DYLINKER, ())),
        platforms=tuple(_platform(part) for part in commands.get(_LC_BUILD_VERSION, ())),
        entries=tuple(part.read("Q", 8, "LC_MAIN")[0] for part in commands.get(_LC_MAIN, ())),
        uuid=_LC_UUID in commands,
        imports=tuple(Import(*symbol) for symbol in dict.fromkeys(symbols)),
        relocated=fixups.segments,
        signatures=tuple(part.read("II", 8, "LC_CODE_SIGNATURE")
                         for part in commands.get(_LC_CODE_SIGNATURE, ())),
    )


def _commands(fields: Fields) -> _Commands:
    """Return the load commands by kind, each with its own bytes; raises Malformed.

    Ordinals count the libraries whichever way they are loaded, so all ways are kept as the first.
    """
    count, size = fields.read("II", 16, "the Mach-O header")
    area = fields.part(_HEADER_SIZE, size, "the load commands")
    commands: Dict[int, List[Fields]] = {}
    offset = 0
    for number in range(count):
        kind, length = area.read("II", offset, f"load command {number}")
        if length < 8 or length % 8:
            raise Malformed(f"load command {number} has a size of {length}")
        kind = _LIBRARIES[0] if kind in _LIBRARIES else kind
        commands.setdefault(kind, []).append(area.part(offset, length, f"load command {number}"))
        offset += length
    if offset != size:
        raise Malformed(f"load commands of {offset:,} bytes, not {size:,} as the header says")
    return commands


def _name(command: Fields) -> str:
    """Return the lc_str that a command begins with."""
    return command.text(command.read("I", 8, "a load command")[0]) or "?"


def _platform(command: Fields) -> Tuple[int, str]:
    """Return platform and minos; the latter is xxxx.yy.zz in nibbles."""
    platform, version = command.read("II", 8, "LC_BUILD_VERSION")
    patch = f".{version & 0xFF}" if version & 0xFF else ""
    return platform, f"{version >> 16}.{version >> 8 & 0xFF}{patch}"


def _segment(command: Fields) -> Segment:
    address, size, offset, file_size, most, first = command.read("QQQQII", 24, "LC_SEGMENT_64")
    return Segment(address, size, _rights(first), offset, file_size, command.text(8)[:16],
                   _rights(most))


def _rights(protection: int) -> str:
    """Return VM_PROT_READ, _WRITE and _EXECUTE as text."""
    return rights(read=protection & 1, write=protection & 2, execute=protection & 4)


def _in_file(fields: Fields, segments: Sequence[Segment]) -> Iterator[Segment]:
    """Yield the segments. Raises Malformed for one that the file or its memory cannot hold."""
    for segment in segments:
        fields.within(segment.offset, segment.file_size, f"segment {segment.name}")
        if segment.file_size > segment.size:
            raise Malformed(f"segment {segment.name} has more bytes in the file than in memory")
        yield segment


def _code(commands: Sequence[Fields], segments: Sequence[Segment]) -> Iterator[Tuple[int, int]]:
    """Yield the range in the file of each section of instructions in an executable segment."""
    for command, segment in zip(commands, segments):
        count = command.read("I", 64, "LC_SEGMENT_64")[0]
        sections = command.part(72, count * _SECTION_SIZE, f"sections of {segment.name}")
        for number in range(count):
            address, size, offset, _, _, _, flags = sections.read(
                "QQIIIII", number * _SECTION_SIZE + 32, "a section")
            inside = segment.address <= address and address + size <= segment.end
            if flags & 0xFF not in _S_ZEROFILLS:
                inside = inside and address - segment.address == offset - segment.offset
            if size and not inside:
                raise Malformed(f"section {number} of {segment.name} lies outside its segment")
            if flags & _S_ATTR_INSTRUCTIONS and "x" in segment.rights:
                yield offset, offset + size


def _check_linkedit(fields: Fields, commands: _Commands) -> None:
    """Raise Malformed when a table that a load command points to is beyond the file's end."""
    for kind in _LINKEDIT_DATA:
        for command in commands.get(kind, ()):
            offset, size = command.read("II", 8, "a load command")
            fields.within(offset, size, f"the data of load command {kind:#x}")


def _fixups(fields: Fields, commands: _Commands) -> Fixups:
    """Return what dyld writes before the program starts, in whichever form it is told."""
    found = Fixups()
    for kind in _LC_DYLD_INFO:
        for command in commands.get(kind, ()):
            tables = command.read("IIIIIIII", 8, "LC_DYLD_INFO")
            found = found.joined(opcodes(fields, tables))
    for command in commands.get(_LC_DYLD_CHAINED_FIXUPS, ()):
        offset, size = command.read("II", 8, "LC_DYLD_CHAINED_FIXUPS")
        found = found.joined(chained(fields.part(offset, size, "the chained fixups")))
    return found


def _undefined(fields: Fields, commands: _Commands) -> Iterator[Tuple[str, int]]:
    """Yield name and library ordinal of each undefined symbol in the symbol table."""
    for command in commands.get(_LC_SYMTAB, ()):
        offset, count, names_at, names_size = command.read("IIII", 8, "LC_SYMTAB")
        names = fields.part(names_at, names_size, "the names of symbols")
        for name, kind, _section, extra, _value in fields.table(
                "IBBHQ", offset, count * 16, "the symbol table"):
            if not kind & _N_STAB and kind & _N_EXT and kind & _N_TYPE == _N_UNDF:
                yield names.text(name), extra >> 8
