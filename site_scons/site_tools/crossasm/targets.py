"""The targets: one row of data each, from which every other stage takes what differs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Tuple

from .errors import CrossasmError, nearest

__all__ = ["TARGETS", "Target", "parse_arch"]


@dataclass(frozen=True)
class Target:
    """What there is to know about one target, on any host."""

    name: str
    aliases: Tuple[str, ...]
    """Other spellings that `arch=` takes: common names and GNU or LLVM triples."""
    system: str
    """``linux`` or ``macos``."""
    format: str
    """Object format: ``elf`` or ``macho``."""
    bits: int
    """Word size: 32 or 64."""
    machine: int
    """``e_machine`` of the ELF header, or ``cputype`` of the Mach-O header."""
    entry: str
    """The symbol that a program starts at."""
    host: Tuple[str, str]
    """`platform.system()` and `platform.machine()` of a host whose own tools make this target."""
    prefixes: Tuple[str, ...]
    """Prefixes of cross binutils, in the order in which they are tried."""
    triple: str
    """clang's name of the target."""
    assemblers: Mapping[str, Tuple[str, ...]]
    """Suffix of a source to the assemblers that take it, the default first."""
    dialects: Mapping[str, str]
    """Assembler, as `commands` names them, to how it splits a text, as `includes` names that."""
    tools: Mapping[str, str]
    """Role of a tool to its name: binutils' are tried with a prefix, LLVM's beside LLVM too."""
    link_flags: Tuple[str, ...]
    strip_flags: Tuple[str, ...]
    """What the linker is told when no debug information is wanted."""
    archive_flags: Tuple[str, ...]
    """The archiver's operation: create, index, and write no time, owner or mode."""
    nasm_flags: Tuple[str, ...] = ()
    gas_flags: Tuple[str, ...] = ()
    binutils: Mapping[str, str] = field(default_factory=dict)
    """Package manager to the package that holds the target's binutils on another host."""
    linker_flags: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    """What a linker's file name begins with, to flags that it alone takes."""
    host_tools: Mapping[str, str] = field(default_factory=dict)
    """What the host of this target has in place of a tool that is not found."""
    stub: str = ""
    """The file beside this one that programs are linked against, where none can be static."""
    sdk_stub: str = ""
    """Its place in the system's SDK, which serves where there is one."""


_ELF_TOOLS = {"gas": "as", "clang": "clang", "cpp": "clang", "ld": "ld", "ar": "ar"}
_X86_TOOLS = {"nasm": "nasm", **_ELF_TOOLS}
_X86_BINUTILS = {"dnf": "binutils-x86_64-linux-gnu", "pacman": "x86_64-linux-gnu-binutils",
                 "brew": "x86_64-linux-gnu-binutils"}
_ELF_LINK = ("-static", "-nostdlib", "-z", "noexecstack", "--build-id=none", "--gc-sections",
             "--fatal-warnings")
_X86 = {".asm": ("nasm",), ".s": ("gas", "clang"), ".S": ("gas", "clang")}
_ARM_LINUX = {".s": ("gas", "clang"), ".S": ("gas", "clang")}
_ARM_MACOS = {".s": ("clang",), ".S": ("clang",)}
_X86_DIALECTS = {"nasm": "nasm", "gas": "gas-x86", "gaspp": "cpp-gas-x86",
                 "clang": "clang-x86", "clangpp": "cpp-clang-x86"}
_ARM_DIALECTS = {"gas": "gas-arm64", "gaspp": "cpp-gas-arm64",
                 "clang": "clang-arm64", "clangpp": "cpp-clang-arm64"}
_MACOS_DIALECTS = {"clang": "cpp-clang-macos", "clangpp": "cpp-clang-macos"}
"""For Darwin clang runs the preprocessor over ``.s`` too."""

_ROWS = (
    Target(
        name="x86_32",
        aliases=("i386", "i486", "i586", "i686", "x86", "ia32",
                 "i386-linux-gnu", "i686-linux-gnu", "i686-pc-linux-gnu"),
        system="linux", format="elf", bits=32, machine=3, entry="_start",
        host=("Linux", "x86_64"),
        prefixes=("i686-linux-gnu-", "i386-linux-gnu-", "i686-pc-linux-gnu-", "x86_64-linux-gnu-"),
        triple="i386-linux-gnu",
        assemblers=_X86, dialects=_X86_DIALECTS,
        nasm_flags=("-f", "elf32"), gas_flags=("--32",),
        binutils={"apt": "binutils-i686-linux-gnu", **_X86_BINUTILS},
        tools=_X86_TOOLS, link_flags=("-m", "elf_i386", *_ELF_LINK),
        strip_flags=("-s",), archive_flags=("rcsD",),
    ),
    Target(
        name="x86_64",
        aliases=("amd64", "x64", "x86-64", "x86_64-linux-gnu", "x86_64-pc-linux-gnu",
                 "x86_64-unknown-linux-gnu"),
        system="linux", format="elf", bits=64, machine=62, entry="_start",
        host=("Linux", "x86_64"),
        prefixes=("x86_64-linux-gnu-", "x86_64-pc-linux-gnu-"),
        triple="x86_64-linux-gnu",
        assemblers=_X86, dialects=_X86_DIALECTS,
        nasm_flags=("-f", "elf64"), gas_flags=("--64",),
        binutils={"apt": "binutils-x86-64-linux-gnu", **_X86_BINUTILS},
        tools=_X86_TOOLS, link_flags=("-m", "elf_x86_64", *_ELF_LINK),
        strip_flags=("-s",), archive_flags=("rcsD",),
    ),
    Target(
        name="arm64_linux",
        aliases=("aarch64", "arm64", "armv8", "aarch64-linux-gnu", "aarch64-none-linux-gnu",
                 "aarch64-unknown-linux-gnu"),
        system="linux", format="elf", bits=64, machine=183, entry="_start",
        host=("Linux", "aarch64"),
        prefixes=("aarch64-linux-gnu-", "aarch64-none-linux-gnu-", "aarch64-unknown-linux-gnu-"),
        triple="aarch64-linux-gnu",
        assemblers=_ARM_LINUX, dialects=_ARM_DIALECTS,
        binutils={"apt": "binutils-aarch64-linux-gnu", "dnf": "binutils-aarch64-linux-gnu",
                  "pacman": "aarch64-linux-gnu-binutils", "brew": "aarch64-linux-gnu-binutils"},
        tools=_ELF_TOOLS, link_flags=("-m", "aarch64linux", *_ELF_LINK),
        strip_flags=("-s",), archive_flags=("rcsD",),
    ),
    Target(
        name="arm64_macos",
        aliases=("macos", "darwin", "arm64-apple-darwin", "aarch64-apple-darwin",
                 "arm64-apple-macos", "arm64-apple-macos11"),
        system="macos", format="macho", bits=64, machine=0x0100000C, entry="_main",
        host=("Darwin", "arm64"),
        prefixes=(),
        triple="arm64-apple-macos11",
        assemblers=_ARM_MACOS, dialects=_MACOS_DIALECTS,
        tools={"clang": "clang", "ld": "ld64.lld", "ar": "llvm-ar"},
        host_tools={"ld": "ld", "ar": "ar"},
        link_flags=("-arch", "arm64", "-platform_version", "macos", "11.0", "11.0",
                    "-adhoc_codesign", "-dead_strip"),
        # The bytes of lld's output depend on the number of threads.
        linker_flags={"ld64.lld": ("--threads=1",)},
        strip_flags=("-S",), archive_flags=("rcsD", "--format=darwin"),
        stub="libSystem.tbd", sdk_stub="usr/lib/libSystem.tbd",
    ),
)

TARGETS: Mapping[str, Target] = {row.name: row for row in _ROWS}


def parse_arch(value: str) -> Tuple[Target, ...]:
    """Return the targets that an ``arch=`` value names: names or aliases between commas.

    Raises CrossasmError for a name that is neither, with the nearest that is.
    """
    spellings = {alias: row for row in _ROWS for alias in (row.name, *row.aliases)}
    words = [word.strip() for word in value.split(",")]
    wrong = [word for word in words if word.lower() not in spellings]
    if wrong:
        raise CrossasmError(*(
            f"arch={value}: '{word}' is no target"
            + nearest(word, spellings, otherwise=f"; known: {', '.join(TARGETS)}")
            for word in wrong
        ))
    chosen = {spellings[word.lower()].name for word in words}
    return tuple(row for row in _ROWS if row.name in chosen)
