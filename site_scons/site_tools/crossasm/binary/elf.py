"""Read a linked ELF file into the few facts that decide whether the kernel can run it alone.

Names and layouts are those of the System V gABI, chapters 4 and 5:
https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
PT_GNU_STACK and the GNU tags are those of the Linux Standard Base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterator, List, Optional, Sequence, Tuple

from .fields import Fields, Malformed
from .verdict import Segment, rights

__all__ = ["ET_DYN", "ET_EXEC", "ET_REL", "Elf", "Header", "read", "read_header", "symbols"]

_MAGIC = b"\x7fELF"
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_GNU_STACK = 1, 2, 3, 0x6474E551
_SHT_NULL, _SHT_SYMTAB, _SHT_RELA, _SHT_NOBITS, _SHT_REL, _SHT_DYNSYM = 0, 2, 4, 8, 9, 11
_SHF_ALLOC, _SHF_COMPRESSED = 2, 0x800
_SHN_UNDEF = 0
_STB_GLOBAL, _STB_WEAK = 1, 2
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_TEXTREL, _DT_FLAGS = 0, 1, 5, 22, 30
_DT_FLAGS_1 = 0x6FFFFFFB
_DT_SIZES_OF_RELOCATIONS = (2, 8, 18, 35)  # DT_PLTRELSZ, DT_RELASZ, DT_RELSZ, DT_RELRSZ
_DF_TEXTREL = 4
_DF_1_PIE = 0x08000000
# The linker defines these only for start code that applies the relocations between them.
_APPLIED = (b"\0__rela_iplt_start\0", b"\0__rel_iplt_start\0")


@dataclass(frozen=True)
class _Layout:
    """What differs between the two word sizes: `struct` layouts, and bytes of a program header."""

    header: str
    segment: str
    segment_size: int
    section: str
    section_size: int
    symbol: str
    dynamic: str


_LAYOUTS = {
    32: _Layout("HHIIIIIHHHHHH", "IIIIIIII", 32, "IIIIIIIIII", 40, "IIIBBH", "II"),
    64: _Layout("HHIQQQIHHHHHH", "IIQQQQQQ", 56, "IIQQQQIIQQ", 64, "IBBHQQ", "QQ"),
}


@dataclass(frozen=True)
class Header:
    """The ELF header; offsets in bytes."""

    bits: int
    order: str
    """``<`` for little-endian, ``>`` for big-endian."""
    system: int
    """EI_OSABI."""
    kind: int
    """e_type."""
    machine: int
    entry: int
    segments_at: int
    segment_size: int
    segment_count: int
    sections_at: int
    section_size: int
    section_count: int


@dataclass(frozen=True)
class Elf:
    """A linked program, as far as loading it goes."""

    segments: Tuple[Segment, ...]
    """Those of type PT_LOAD, in the order of the file."""
    stacks: Tuple[str, ...]
    """The rights of each PT_GNU_STACK; the kernel obeys the last."""
    interpreter: Optional[str]
    pie: bool
    """DF_1_PIE: what tells a program from a shared library when both are ET_DYN."""
    libraries: Tuple[str, ...]
    text_relocations: bool
    relocations: bool
    """The dynamic section lists some."""
    indirect: bool
    """There are indirect functions, and no start code that would choose among theirs."""
    compressed: bool
    """Some sections are, so that what they hold cannot be searched."""
    undefined: Tuple[str, ...]
    """Global and weak symbols; empty when there is no symbol table."""


@dataclass(frozen=True)
class _Section:
    kind: int
    flags: int
    offset: int
    size: int
    link: int


def read_header(data: bytes) -> Header:
    """Return the ELF header. Raises Malformed when there is none."""
    if data[:4] != _MAGIC:
        start = data[:4].hex(" ") or "nothing"
        raise Malformed(f"not an ELF file (it begins with {start})")
    word, order, _version, system = Fields(data).read("BBBB", 4, "the ELF header")
    if word not in (1, 2) or order not in (1, 2):
        raise Malformed(f"an ELF header of unknown word size ({word}) or byte order ({order})")
    bits, sign = 32 * word, "<>"[order - 1]
    (kind, machine, _version, entry, segments_at, sections_at, _flags, _size, segment_size,
     segment_count, section_size, section_count, _names,
     ) = Fields(data, sign).read(_LAYOUTS[bits].header, 16, "the ELF header")
    return Header(bits, sign, system, kind, machine, entry, segments_at, segment_size,
                  segment_count, sections_at, section_size, section_count)


def read(data: bytes, header: Header) -> Elf:
    """Return what the program and section headers say. Raises Malformed for damage."""
    fields, layout = Fields(data, header.order), _LAYOUTS[header.bits]
    parts = tuple(_segments(fields, layout, header))
    sections = tuple(_sections(fields, layout, header))
    dynamic = _dynamic(fields, layout, [part for kind, part in parts if kind == _PT_DYNAMIC])
    loaded = tuple(part for kind, part in parts if kind == _PT_LOAD)
    interpreters = [fields.text(part.offset) for kind, part in parts if kind == _PT_INTERP]
    return Elf(
        segments=loaded,
        stacks=tuple(part.rights for kind, part in parts if kind == _PT_GNU_STACK),
        interpreter=interpreters[0] if interpreters else None,
        pie=any(value & _DF_1_PIE for value in dynamic.get(_DT_FLAGS_1, ())),
        libraries=_libraries(fields, dynamic, loaded),
        text_relocations=_text_relocations(dynamic),
        relocations=_relocations(dynamic),
        indirect=not dynamic and _unapplied(fields, sections),
        compressed=any(part.flags & _SHF_COMPRESSED for part in sections),
        undefined=_undefined(fields, layout, sections),
    )


def symbols(data: bytes) -> Tuple[FrozenSet[str], FrozenSet[str]]:
    """Return the names that an object defines for others, and those that it only may lack: weak.

    Raises Malformed for damage, and for what is no ELF file.
    """
    header = read_header(data)
    fields, layout = Fields(data, header.order), _LAYOUTS[header.bits]
    found = list(_symbols(fields, layout, tuple(_sections(fields, layout, header))))
    return (frozenset(name for name, _, section in found if section != _SHN_UNDEF),
            frozenset(name for name, bind, section in found
                      if section == _SHN_UNDEF and bind == _STB_WEAK))


def _segments(fields: Fields, layout: _Layout, header: Header) -> Iterator[Tuple[int, Segment]]:
    """Yield the type and range of each program header, of which an object file has none."""
    if header.segment_count and header.segment_size != layout.segment_size:
        raise Malformed(f"program headers of {header.segment_size} bytes, "
                        f"not {layout.segment_size}")
    size = header.segment_count * header.segment_size
    rows = fields.table(layout.segment, header.segments_at, size, "the table of program headers")
    for number, row in enumerate(rows):
        if header.bits == 32:
            kind, offset, address, _, file_size, size, flags, _ = row
        else:
            kind, flags, offset, address, _, file_size, size, _ = row
        fields.within(offset, file_size, f"segment {number}")
        marks = rights(read=flags & 4, write=flags & 2, execute=flags & 1)
        yield kind, Segment(address, size, marks, offset, file_size)


def _sections(fields: Fields, layout: _Layout, header: Header) -> Iterator[_Section]:
    """Yield the section headers, of which a program may have none."""
    if not (header.sections_at and header.section_count):
        return
    if header.section_size != layout.section_size:
        raise Malformed(f"section headers of {header.section_size} bytes, "
                        f"not {layout.section_size}")
    size = header.section_count * header.section_size
    rows = fields.table(layout.section, header.sections_at, size, "the table of section headers")
    for number, (_, kind, flags, _, offset, length, link, *_rest) in enumerate(rows):
        if kind not in (_SHT_NULL, _SHT_NOBITS):
            fields.within(offset, length, f"section {number}")
        yield _Section(kind, flags, offset, length, link)


def _dynamic(fields: Fields, layout: _Layout, parts: Sequence[Segment]) -> Dict[int, List[int]]:
    """Return the values of each tag of the dynamic section."""
    values: Dict[int, List[int]] = {}
    for part in parts:
        rows = fields.table(layout.dynamic, part.offset, part.file_size, "the dynamic section")
        for tag, value in rows:
            if tag == _DT_NULL:
                break
            values.setdefault(tag, []).append(value)
    return values


def _libraries(fields: Fields, dynamic: Dict[int, List[int]],
               loaded: Sequence[Segment]) -> Tuple[str, ...]:
    """Return the names of DT_NEEDED, found through the address of the string table."""
    needed = dynamic.get(_DT_NEEDED, [])
    table = dynamic.get(_DT_STRTAB, [0])[0]
    for segment in loaded:
        if segment.address <= table < segment.address + segment.file_size:
            start = segment.offset + table - segment.address
            return tuple(fields.text(start + name) or "?" for name in needed)
    return tuple("?" for _ in needed)


def _text_relocations(dynamic: Dict[int, List[int]]) -> bool:
    flags = dynamic.get(_DT_FLAGS, [])
    return _DT_TEXTREL in dynamic or any(value & _DF_TEXTREL for value in flags)


def _relocations(dynamic: Dict[int, List[int]]) -> bool:
    return any(size for tag in _DT_SIZES_OF_RELOCATIONS for size in dynamic.get(tag, ()))


def _unapplied(fields: Fields, sections: Sequence[_Section]) -> bool:
    """Tell whether relocations are loaded that nothing applies: those of indirect functions.

    Known only with a symbol table: without one, start code is given the benefit of the doubt.
    """
    names = [fields.data[strings.offset:strings.offset + strings.size]
             for _, strings in _symbol_tables(sections)]
    left = any(part.kind in (_SHT_RELA, _SHT_REL) and part.flags & _SHF_ALLOC and part.size
               for part in sections)
    return left and bool(names) and not any(mark in text for text in names for mark in _APPLIED)


def _symbol_tables(sections: Sequence[_Section]) -> Iterator[Tuple[_Section, _Section]]:
    """Yield each symbol table with its strings."""
    for part in sections:
        if part.kind in (_SHT_SYMTAB, _SHT_DYNSYM):
            if part.link >= len(sections):
                raise Malformed("a symbol table without its strings")
            yield part, sections[part.link]


def _undefined(fields: Fields, layout: _Layout, sections: Sequence[_Section]) -> Tuple[str, ...]:
    """Return the names of symbols that others were to define, each once."""
    names = (name for name, _, section in _symbols(fields, layout, sections)
             if section == _SHN_UNDEF)
    return tuple(dict.fromkeys(names))


def _symbols(fields: Fields, layout: _Layout,
             sections: Sequence[_Section]) -> Iterator[Tuple[str, int, int]]:
    """Yield name, binding and section of each global and weak symbol."""
    for part, strings in _symbol_tables(sections):
        for row in fields.table(layout.symbol, part.offset, part.size, "a symbol table"):
            if layout.symbol == _LAYOUTS[32].symbol:
                name, _, _, info, _, section = row
            else:
                name, info, _, section, _, _ = row
            if info >> 4 in (_STB_GLOBAL, _STB_WEAK):
                yield fields.text(strings.offset + name) or "?", info >> 4, section
