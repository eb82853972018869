"""Judge a linked Mach-O file: what would keep macOS on arm64 from running it, alone and safely.

What is demanded is what the kernel (bsd/kern/mach_loader.c of xnu) and dyld do with a program.
"""

from __future__ import annotations

from typing import Iterator, Sequence

from ..targets import Target
from . import codesign, macho
from .fields import Malformed, listed
from .verdict import Report, Segment

__all__ = ["PAGE", "judge"]

PAGE = 0x4000
_PAGE_ZERO = 1 << 32
_CPU_SUBTYPE_ALL = 0
_MH_EXECUTE = 2
_MH_ALLOW_STACK_EXECUTION = 0x20000
_MH_NEEDED = {"MH_NOUNDEFS": 0x1, "MH_DYLDLINK": 0x4, "MH_TWOLEVEL": 0x80, "MH_PIE": 0x200000}
_MH_TWOLEVEL = _MH_NEEDED["MH_TWOLEVEL"]
_KINDS = {1: "an object file", 6: "a shared library", 8: "a bundle"}
_PLATFORM_MACOS = 1
_PLATFORMS = {1: "macOS", 2: "iOS", 3: "tvOS", 4: "watchOS", 6: "Mac Catalyst",
              7: "the iOS simulator", 8: "the tvOS simulator", 9: "the watchOS simulator"}
_DYLD, _LIBSYSTEM = "/usr/lib/dyld", "/usr/lib/libSystem.B.dylib"


def judge(data: bytes, header: macho.Header, target: Target) -> Report:
    """Return the faults that only Mach-O has, and the facts. Raises Malformed for damage."""
    alien = tuple(_no_program(header))
    if alien:
        return Report(alien, len(data))
    program = macho.read(data)
    faults = (*_header(header), *_start(program), *_platform(program), *_libraries(program),
              *_imports(header, program), *_memory(program.segments),
              *_text_relocations(program), *_entry(program, target), *_signature(data, program))
    base = next((part.address for part in program.segments if part.name == "__TEXT"), 0)
    return Report(
        faults, len(data), base + program.entries[0] if program.entries else None,
        program.segments, program.libraries,
        tuple(dict.fromkeys(symbol.symbol for symbol in program.imports)),
        f"macOS {program.platforms[0][1]}" if program.platforms else "")


def _no_program(header: macho.Header) -> Iterator[str]:
    """Yield why the file is no program at all, which leaves nothing else to say of it."""
    if header.kind != _MH_EXECUTE:
        kind = _KINDS.get(header.kind, f"filetype {header.kind}")
        yield f"{kind}, not a program: link it without -r, -dylib and -bundle"


def _header(header: macho.Header) -> Iterator[str]:
    if header.variant != _CPU_SUBTYPE_ALL:
        yield f"made for a variant of arm64 (cpusubtype {header.variant}): assemble it for arm64"
    if header.flags & _MH_ALLOW_STACK_EXECUTION:
        yield "executable stack (MH_ALLOW_STACK_EXECUTION): link it without -allow_stack_execute"
    missing = [name for name, bit in _MH_NEEDED.items() if not header.flags & bit]
    if missing:
        yield (f"its header lacks {', '.join(missing)}: "
               "link it without -no_pie, -flat_namespace and -static")


def _start(program: macho.MachO) -> Iterator[str]:
    """Yield what keeps dyld from taking the program up."""
    if program.loaders != (_DYLD,):
        named = listed(program.loaders) or "no loader"
        yield f"names {named}, not {_DYLD}: link it without -static"
    if not program.uuid:
        yield "no LC_UUID, without which dyld starts nothing: link it without -no_uuid"


def _platform(program: macho.MachO) -> Iterator[str]:
    remedy = "link it with -platform_version macos"
    for platform, oldest in program.platforms:
        if platform != _PLATFORM_MACOS:
            name = _PLATFORMS.get(platform, f"platform {platform}")
            yield f"made for {name}, not macOS: {remedy}"
        elif oldest.startswith("0."):
            yield f"names {oldest} as the oldest macOS to run on: {remedy} 11.0"
    if len(program.platforms) != 1:
        yield f"{len(program.platforms)} LC_BUILD_VERSION, not one: {remedy}"


def _libraries(program: macho.MachO) -> Iterator[str]:
    for library in dict.fromkeys(program.libraries):
        if library != _LIBSYSTEM:
            yield f"needs the library {library}: link it with libSystem alone"
    if _LIBSYSTEM not in program.libraries:
        yield (f"{_LIBSYSTEM} is not linked, without which dyld starts nothing: "
               "link it with libSystem")


def _imports(header: macho.Header, program: macho.MachO) -> Iterator[str]:
    """Yield the symbols that no library is named for; in a flat namespace none ever is."""
    if not header.flags & _MH_TWOLEVEL:
        return
    known = range(1, len(program.libraries) + 1)
    lost = dict.fromkeys(part.symbol or "?" for part in program.imports
                         if part.ordinal not in known)
    if lost:
        yield (f"undefined, and of no library: {listed(list(lost))}: define what is missing, and "
               "link it without -undefined dynamic_lookup")


def _memory(segments: Sequence[Segment]) -> Iterator[str]:
    """Yield why the kernel cannot map the segments as they stand."""
    by_name = {part.name: part for part in segments}
    zero, text = by_name.get("__PAGEZERO"), by_name.get("__TEXT")
    if zero is None or zero.address or zero.size < _PAGE_ZERO or zero.rights != "---":
        yield (f"no __PAGEZERO that keeps the first {_PAGE_ZERO:#x} bytes free: "
               "link it without -pagezero_size")
    if text is None or text.offset or not text.file_size:
        yield "no __TEXT that begins with the header: link it again"
    for part in segments:
        if part.address % PAGE or part.offset % PAGE:
            yield (f"segment {part.name} does not begin on a page of {PAGE:#x} bytes: "
                   "link it without -segalign")
    parts = sorted((part for part in segments if part.file_size), key=lambda part: part.offset)
    for low, high in zip(parts, parts[1:]):
        if high.offset < low.file_end:
            yield f"segments {low.name} and {high.name} overlap in the file: link it again"


def _text_relocations(program: macho.MachO) -> Iterator[str]:
    for index in program.relocated:
        if index >= len(program.segments):
            raise Malformed(f"a fixup in segment {index} of {len(program.segments)}")
        segment = program.segments[index]
        if "w" not in segment.rights:
            yield (f"addresses for dyld to fill in in {segment.name}, which is not writable: "
                   "move them to __DATA,__const")


def _entry(program: macho.MachO, target: Target) -> Iterator[str]:
    if len(program.entries) != 1:
        yield f"{len(program.entries)} LC_MAIN, not one: define {target.entry}, and link it again"
    for entry in program.entries:
        if entry % 4 or not any(first <= entry < end for first, end in program.code):
            yield (f"entry at offset {entry:#x} is not in executable code: "
                   f"define {target.entry} in __TEXT,__text")


def _signature(data: bytes, program: macho.MachO) -> Iterator[str]:
    """Yield why macOS would kill the program for its signature."""
    if len(program.signatures) != 1:
        count = len(program.signatures) or "no"
        yield f"{count} LC_CODE_SIGNATURE: link it with -adhoc_codesign"
        return
    offset, size = program.signatures[0]
    if offset + size != len(data):
        yield (f"goes on after its signature, from offset {offset + size:#x}: "
               "link it again, and add nothing")
    if [part.file_end for part in program.segments if part.name == "__LINKEDIT"] != [offset + size]:
        yield "the signature is not the end of __LINKEDIT: link it again"
    signature = codesign.read(data[offset:offset + size])
    if not signature.directories:
        yield "a signature without a CodeDirectory: link it with -adhoc_codesign"
    for directory in signature.directories:
        yield from _directory(data, directory, offset, ad_hoc=not signature.authority)


def _directory(data: bytes, directory: codesign.CodeDirectory, offset: int, *,
               ad_hoc: bool) -> Iterator[str]:
    """Yield what is wrong with one set of page hashes of a signature at `offset`."""
    if ad_hoc and not directory.ad_hoc:
        yield "signed by nobody, yet not ad hoc: link it with -adhoc_codesign"
    if not directory.identifier:
        yield "signed without an identifier: link it with -adhoc_codesign"
    if directory.limit != offset:
        yield (f"the signature covers {directory.limit:,} bytes, not the {offset:,} before it: "
               "sign it again")
        return
    bad = list(codesign.bad_pages(directory, data))
    if bad:
        pages = listed([f"{number * directory.page_size:#x}" for number in bad])
        yield (f"changed after it was signed, in the page at {pages}: "
               "sign it as the last step, or link it again")
