"""Command lines, as lists: what each assembler and linker is given."""

from __future__ import annotations

from typing import List, Optional

import pytest

from crossasm.commands import (
    ASSEMBLERS,
    Options,
    assembler_flags,
    choose_assembler,
    link_flags,
    preprocessor_flags,
)
from crossasm.targets import TARGETS

ASKED = Options(path=["a b", "c"], defines=["N=1", "BARE"], debug=True, flags=["-x"], folder="/f")


@pytest.mark.parametrize(("target", "suffix", "wish", "name"), [
    ("x86_64", ".asm", None, "nasm"), ("x86_64", ".asm", "clang", "nasm"),
    ("x86_64", ".s", None, "gas"), ("x86_64", ".s", "clang", "clang"),
    ("x86_64", ".S", None, "gaspp"), ("x86_64", ".S", "clang", "clangpp"),
    ("arm64_macos", ".s", None, "clang"), ("arm64_macos", ".S", "gas", "clangpp"),
    ("arm64_linux", ".asm", None, None), ("x86_64", ".c", None, None),
])
def test_a_suffix_chooses_the_assembler(
    target: str, suffix: str, wish: Optional[str], name: Optional[str],
) -> None:
    chosen = choose_assembler(TARGETS[target], suffix, wish)
    assert (chosen.name if chosen else None) == name


@pytest.mark.parametrize(("assembler", "target", "flags"), [
    ("nasm", "x86_32", ["-f", "elf32", "-Ia b/", "-Ic/", "-DN=1", "-DBARE", "-g", "-F", "dwarf",
                        "-x"]),
    ("gas", "x86_64", ["--64", "-Ia b", "-Ic", "-g", "--debug-prefix-map=/f=.", "-x",
                       "--defsym", "N=1", "--defsym", "BARE=1"]),
    ("gaspp", "arm64_linux", ["-Ia b", "-Ic", "-g", "--debug-prefix-map=/f=.", "-x"]),
    ("clang", "arm64_macos", ["--target=arm64-apple-macos11", "-c", "-Ia b", "-Ic", "-g",
                              "-fdebug-compilation-dir=.", "-Wa,-defsym,N=1",
                              "-Wa,-defsym,BARE=1", "-x"]),
    ("clangpp", "x86_64", ["--target=x86_64-linux-gnu", "-c", "-Ia b", "-Ic", "-g",
                           "-fdebug-compilation-dir=.", "-DN=1", "-DBARE", "-x"]),
])
def test_an_assembler_is_given_what_was_asked(
    assembler: str, target: str, flags: List[str],
) -> None:
    assert assembler_flags(ASSEMBLERS[assembler], TARGETS[target], ASKED) == flags


def test_the_preprocessor_is_given_folders_and_defines() -> None:
    assert preprocessor_flags(TARGETS["x86_64"], ASKED) == [
        "--target=x86_64-linux-gnu", "-E", "-x", "assembler-with-cpp", "-Ia b", "-Ic", "-DN=1",
        "-DBARE"]


def test_programs_are_static_without_build_id_and_stripped() -> None:
    assert link_flags(TARGETS["x86_32"], "/usr/bin/ld", debug=False) == [
        "-m", "elf_i386", "-static", "-nostdlib", "-z", "noexecstack", "--build-id=none",
        "--gc-sections", "--fatal-warnings", "-e", "_start", "-s"]


def test_debug_keeps_the_symbols() -> None:
    assert "-s" not in link_flags(TARGETS["x86_32"], "ld", debug=True)


def test_lld_for_macho_gets_one_thread() -> None:
    """The bytes of its output depend on the number of threads."""
    assert "--threads=1" in link_flags(TARGETS["arm64_macos"], "/x/ld64.lld", debug=False)
    assert "--threads=1" in link_flags(TARGETS["arm64_macos"], "/x/ld64.lld-17", debug=False)
    assert "--threads=1" not in link_flags(TARGETS["arm64_macos"], "/usr/bin/ld", debug=False)
