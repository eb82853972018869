"""Command lines as lists of arguments: a target and options in, what the assembler is given out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Mapping, Optional, Sequence, Tuple

from .targets import Target

__all__ = [
    "ASSEMBLERS", "CHOICES", "Assembler", "Options", "assembler_flags", "choose_assembler",
    "link_flags", "preprocessor_flags",
]


@dataclass(frozen=True)
class Assembler:
    """One way from a source to an object."""

    name: str
    variable: str
    """The construction variable that names the program; `…FLAGS` goes with it."""
    roles: Tuple[str, ...]
    """The tools that it starts."""


ASSEMBLERS: Mapping[str, Assembler] = {
    row.name: row for row in (
        Assembler("nasm", "NASM", ("nasm",)),
        Assembler("gas", "GAS", ("gas",)),
        Assembler("gaspp", "GAS", ("cpp", "gas")),
        Assembler("clang", "CLANG", ("clang",)),
        Assembler("clangpp", "CLANG", ("clang",)),
    )
}
"""`gaspp` and `clangpp` take sources that the C preprocessor reads first (``.S``)."""

CHOICES = ("gas", "clang")
"""What a project may choose between, where a target leaves the choice."""


@dataclass(frozen=True)
class Options:
    """What a build asks of an assembler beyond its target."""

    path: Sequence[str] = ()
    defines: Sequence[str] = ()
    """``NAME=VALUE`` or a bare ``NAME``."""
    debug: bool = False
    flags: Sequence[str] = ()
    folder: str = "."
    """The folder that the build runs in; kept out of debug information."""


def choose_assembler(target: Target, suffix: str, wish: Optional[str]) -> Optional[Assembler]:
    """Return the assembler for a source with `suffix`, or None where the target has none.

    `wish` is ``gas`` or ``clang`` and counts for the suffixes that leave a choice.
    """
    able = target.assemblers.get(suffix, ())
    if not able:
        return None
    name = wish if wish in able else able[0]
    return ASSEMBLERS[f"{name}pp" if suffix == ".S" else name]


def assembler_flags(assembler: Assembler, target: Target, options: Options) -> List[str]:
    """Return the arguments of `assembler` between the program and its files."""
    make = {"nasm": _nasm, "gas": _gas, "gaspp": _gas_after_cpp, "clang": _clang,
            "clangpp": _clang_with_cpp}[assembler.name]
    return make(target, options)


def preprocessor_flags(target: Target, options: Options) -> List[str]:
    """Return the arguments of the C preprocessor (clang) for a source that GAS then reads."""
    return [f"--target={target.triple}", "-E", "-x", "assembler-with-cpp",
            *(f"-I{folder}" for folder in options.path),
            *(f"-D{define}" for define in options.defines)]


def link_flags(target: Target, linker: str, *, debug: bool) -> List[str]:
    """Return the linker's arguments before its files: format, entry, nothing that is not needed."""
    program = linker.rsplit("/", 1)[-1]
    own = (flag for name, flags in target.linker_flags.items() if program.startswith(name)
           for flag in flags)
    flags = [*target.link_flags, "-e", target.entry, *own]
    return flags if debug else [*flags, *target.strip_flags]


def _nasm(target: Target, options: Options) -> List[str]:
    return [*target.nasm_flags,
            *(f"-I{folder}/" for folder in options.path),
            *(f"-D{define}" for define in options.defines),
            *(("-g", "-F", "dwarf") if options.debug else ()), *options.flags]


def _gas(target: Target, options: Options) -> List[str]:
    symbols = [word for define in options.defines for word in ("--defsym", _symbol(define))]
    return [*_gas_after_cpp(target, options), *symbols]


def _gas_after_cpp(target: Target, options: Options) -> List[str]:
    return [*target.gas_flags,
            *(f"-I{folder}" for folder in options.path),
            *(("-g", f"--debug-prefix-map={options.folder}=.") if options.debug else ()),
            *options.flags]


def _clang(target: Target, options: Options) -> List[str]:
    symbols = (f"-Wa,-defsym,{_symbol(define)}" for define in options.defines)
    return [*_clang_common(target, options), *symbols, *options.flags]


def _clang_with_cpp(target: Target, options: Options) -> List[str]:
    defines = (f"-D{define}" for define in options.defines)
    return [*_clang_common(target, options), *defines, *options.flags]


def _clang_common(target: Target, options: Options) -> List[str]:
    return [f"--target={target.triple}", "-c", *(f"-I{folder}" for folder in options.path),
            *(("-g", "-fdebug-compilation-dir=.") if options.debug else ())]


def _symbol(define: str) -> str:
    """Return a define as an assembler symbol, which must have a value."""
    return define if "=" in define else f"{define}=1"
