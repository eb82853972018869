"""Judge a linked ELF file: what would keep Linux from running it, alone and safely.

What is demanded is what the kernel's loader does with a file (fs/binfmt_elf.c of Linux).
"""

from __future__ import annotations

from typing import Iterator, Sequence

from ..targets import Target
from . import elf
from .fields import listed
from .verdict import Report, Segment

__all__ = ["PAGE", "judge"]

PAGE = 0x1000
_SYSTEMS = (0, 3)  # ELFOSABI_NONE, ELFOSABI_GNU
_LOWEST = 0x10000  # Linux's usual vm.mmap_min_addr
_HIGHEST = {32: 0xC0000000, 64: 1 << 47}  # where user space ends, at the least


def judge(data: bytes, header: elf.Header, target: Target) -> Report:
    """Return the faults that only ELF has, and the facts. Raises Malformed for damage."""
    program = elf.read(data, header)
    alien = tuple(_no_program(header, program, target))
    if alien:
        return Report(alien, len(data))
    faults = (*_links(program), *_contents(header, program), *_stack(program),
              *_memory(header, program.segments), *_entry(header.entry, program, target))
    return Report(faults, len(data), header.entry, program.segments, program.libraries,
                  program.undefined)


def _no_program(header: elf.Header, program: elf.Elf, target: Target) -> Iterator[str]:
    """Yield why the file is no program at all, which leaves nothing else to say of it."""
    if header.kind == elf.ET_REL:
        yield "an object file, not a program: link it"
    elif header.kind == elf.ET_DYN and program.interpreter is None and not program.pie:
        yield "a shared library, not a program: link it without -shared"
    elif header.kind not in (elf.ET_EXEC, elf.ET_DYN):
        yield f"not a program (e_type {header.kind}): link it again for {target.name}"
    elif not program.segments:
        yield f"nothing in it to load: define {target.entry}, and declare it global"


def _links(program: elf.Elf) -> Iterator[str]:
    """Yield what somebody else would have to bring or to do before the program runs."""
    if program.interpreter is not None:
        yield f"needs the loader {program.interpreter}: link it with -static, without -pie"
    for library in program.libraries:
        yield f"needs the shared library {library}: link what it takes from there statically"
    if program.undefined:
        yield f"undefined: {listed(program.undefined)}: define what is missing, or link it in"
    if program.text_relocations:
        yield ("relocations in its text, which only a loader applies: "
               "link it without -pie, or address by the program counter")
    elif program.relocations:
        yield ("relocations left, which only a loader applies: "
               "link it without -pie, or address by the program counter")
    if program.indirect:
        yield ("indirect functions, which nothing here resolves before they are called: "
               "call what they stand for")


def _contents(header: elf.Header, program: elf.Elf) -> Iterator[str]:
    if header.system not in _SYSTEMS:
        yield f"made for another system (EI_OSABI {header.system}): link it for Linux"
    if program.compressed:
        yield ("compressed sections, which hide the paths of the machine that built it: "
               "assemble and link it with --compress-debug-sections=none")


def _stack(program: elf.Elf) -> Iterator[str]:
    if not program.stacks:
        yield "executable stack (there is no PT_GNU_STACK): link it with -z noexecstack"
    elif "x" in program.stacks[-1]:
        marks = program.stacks[-1]
        yield f"executable stack (PT_GNU_STACK is {marks}): link it with -z noexecstack"


def _memory(header: elf.Header, segments: Sequence[Segment]) -> Iterator[str]:
    """Yield why the kernel cannot map the segments as they stand."""
    for part in segments:
        if part.file_size > part.size:
            yield (f"segment at {part.address:#x} has more bytes in the file than in memory: "
                   "mend the linker script")
        if part.file_size and (part.address - part.offset) % PAGE:
            yield (f"segment at {part.address:#x} cannot be mapped from offset {part.offset:#x}, "
                   f"at another place of its page: link it with -z max-page-size={PAGE:#x}")
        if header.kind == elf.ET_EXEC and part.size and part.address < _LOWEST:
            yield (f"segment at {part.address:#x} is below {_LOWEST:#x}, where Linux maps nothing: "
                   "link it at a higher address")
        if part.end > _HIGHEST[header.bits]:
            yield (f"segment at {part.address:#x} ends at {part.end:#x}, beyond user space: "
                   "link it at a lower address")


def _entry(entry: int, program: elf.Elf, target: Target) -> Iterator[str]:
    if entry == 0:
        yield f"no entry: define {target.entry}, and declare it global"
    elif not any(part.address <= entry < part.address + part.file_size and "x" in part.rights
                 for part in program.segments):
        yield (f"entry {entry:#x} is not in executable bytes: "
               f"define {target.entry} in a section of code")
