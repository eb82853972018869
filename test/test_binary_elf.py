"""Each fault of an ELF program that the check names, in a program that real tools made so."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import List

import pytest

from crossasm.targets import TARGETS
from linked import ELF_TARGETS, SOUND, Workshop, changed, faults, llvm

BASE = {name: TARGETS[name].link_flags[:2] for name in ELF_TARGETS}  # -m and the emulation
CALL = {"x86_32": "call", "x86_64": "call", "arm64_linux": "bl"}
PIE = ("-pie", "-dynamic-linker", "/lib/ld.so", "-z", "noexecstack")
STATIC_PIE = ("-pie", "--no-dynamic-linker", "-z", "noexecstack")
NO_LOADER = "which only a loader applies: link it without -pie, or address by the program counter"

each = pytest.mark.parametrize("target", ELF_TARGETS)


@each
def test_an_executable_stack(shop: Workshop, target: str) -> None:
    assert faults(shop.elf(target, "-z", "execstack"), target) == (
        "executable stack (PT_GNU_STACK is rwx): link it with -z noexecstack")


@each
def test_a_stack_that_nothing_is_said_of(shop: Workshop, target: str) -> None:
    assert faults(shop.elf(target, base=BASE[target]), target) == (
        "executable stack (there is no PT_GNU_STACK): link it with -z noexecstack")


@pytest.mark.parametrize(("target", "address"), [
    ("x86_32", 0x8048074), ("x86_64", 0x4000B0), ("arm64_linux", 0x4000B0)])
def test_a_segment_writable_and_executable(shop: Workshop, target: str, address: int) -> None:
    assert faults(shop.elf(target, "-N"), target) == (
        f"segment at {address:#x} is writable and executable: "
        "keep code and data in sections of their own, and link without -N or -segprot")


@each
def test_an_object_file(shop: Workshop, target: str) -> None:
    data = shop.assembled(target, SOUND[target]).read_bytes()
    assert faults(data, target) == ("an object file, not a program: link it")


@each
def test_a_shared_library(shop: Workshop, target: str) -> None:
    data = shop.elf(target, "-shared", base=BASE[target], source=".globl f\nf: ret\n")
    assert faults(data, target) == ("a shared library, not a program: link it without -shared")


@pytest.mark.parametrize("target", ["x86_64", "arm64_linux"])
def test_a_program_for_the_loader(shop: Workshop, target: str) -> None:
    assert faults(shop.elf(target, *PIE, base=BASE[target]), target) == (
        "needs the loader /lib/ld.so: link it with -static, without -pie")


def test_a_program_for_the_loader_by_a_linker_that_does_not_mark_it(shop: Workshop) -> None:
    data = shop.elf("x86_64", *PIE, base=BASE["x86_64"])
    mark = struct.pack("<QQ", 0x6FFFFFFB, 0x08000000)  # DT_FLAGS_1, DF_1_PIE
    assert data.count(mark) == 1
    assert faults(data.replace(mark, mark[:8] + bytes(8)), "x86_64") == (
        "needs the loader /lib/ld.so: link it with -static, without -pie")


@pytest.mark.parametrize("target", ["x86_64", "arm64_linux"])
def test_a_static_pie_that_needs_no_relocation_is_sound(shop: Workshop, target: str) -> None:
    assert faults(shop.elf(target, *STATIC_PIE, base=BASE[target]), target) == ""


@pytest.mark.parametrize("target", ["x86_64", "arm64_linux"])
def test_a_static_pie_with_an_address_in_its_data(shop: Workshop, target: str) -> None:
    source = f"{SOUND[target]}\n.data\n.balign 8\n.quad word\n"
    data = shop.elf(target, *STATIC_PIE, base=BASE[target], source=source)
    assert faults(data, target) == f"relocations left, {NO_LOADER}"


def test_text_relocations(shop: Workshop) -> None:
    data = shop.elf("x86_32", *STATIC_PIE, base=BASE["x86_32"])
    assert faults(data, "x86_32") == f"relocations in its text, {NO_LOADER}"


@pytest.mark.parametrize("loader", [["-dynamic-linker", "/lib/ld.so"], ["--no-dynamic-linker"]])
def test_a_program_that_needs_a_shared_library(shop: Workshop, loader: List[str]) -> None:
    base = (*BASE["x86_64"], "-z", "noexecstack")
    helper = shop.assembled("x86_64", ".globl helper\n.type helper, %function\nhelper: ret\n")
    library = shop.link("x86_64", helper, "-shared", "-soname", "libhelp.so", base=base)
    caller = shop.assembled("x86_64", ".globl _start\n_start: call helper\n")
    data = shop.link("x86_64", caller, library, *loader, base=base).read_bytes()
    wanted = ["needs the shared library libhelp.so: link what it takes from there statically",
              "undefined: helper: define what is missing, or link it in",
              f"relocations left, {NO_LOADER}"]
    if "-dynamic-linker" in loader:
        wanted.insert(0, "needs the loader /lib/ld.so: link it with -static, without -pie")
    assert faults(data, "x86_64") == "\n".join(wanted)


@each
def test_undefined_symbols(shop: Workshop, target: str) -> None:
    calls = "\n".join(f"{CALL[target]} helper{number}" for number in range(7))
    data = shop.elf(target, "--unresolved-symbols=ignore-all",
                    source=f".globl _start\n_start: {calls}\n")
    fault = faults(data, target)
    names = fault.split(": ")[1].split(" and ")[0].split(", ")
    assert len({f"helper{number}" for number in range(7)} & set(names)) == 5
    assert fault == (f"undefined: {', '.join(names)} and 2 more: "
                     "define what is missing, or link it in")


@each
def test_a_weak_symbol_undefined(shop: Workshop, target: str) -> None:
    # GNU ld drops such a symbol, and calls address 0; LLVM's linker leaves it to be seen.
    caller = shop.assembled(target, f".globl _start\n.weak helper\n_start: {CALL[target]} helper\n")
    data = shop.link(target, caller, base=("-z", "noexecstack"), linker=llvm("ld.lld")).read_bytes()
    assert faults(data, target) == ("undefined: helper: define what is missing, or link it in")


@each
def test_an_indirect_function_without_start_code(shop: Workshop, target: str) -> None:
    source = (f".globl _start, f\n.type f, %gnu_indirect_function\nf: ret\n"
              f"_start: {CALL[target]} f\n")
    assert faults(shop.elf(target, source=source), target) == (
        "indirect functions, which nothing here resolves before they are called: "
        "call what they stand for")
    table = "__rel_iplt_start" if target == "x86_32" else "__rela_iplt_start"
    assert faults(shop.elf(target, "-s", source=source), target) == ""  # nobody can tell any more
    applied = f"{source}\n{CALL[target]} {table}\n"
    assert faults(shop.elf(target, source=applied), target) == ""


@each
def test_no_start_symbol(shop: Workshop, target: str) -> None:
    assert faults(shop.elf(target, source="begin: nop\n"), target) == (
        "nothing in it to load: define _start, and declare it global")


@each
def test_no_entry(shop: Workshop, target: str) -> None:
    assert faults(shop.elf(target, "--no-gc-sections", "-e", "0"), target) == (
        "no entry: define _start, and declare it global")


@pytest.mark.parametrize(("symbol", "entry"), [
    ("word", 0x402000), ("room", 0x402008), ("0x400000", 0x400000)])
def test_an_entry_that_is_not_code(shop: Workshop, symbol: str, entry: int) -> None:
    data = shop.elf("x86_64", "--no-gc-sections", "-e", symbol,
                    source=f"{SOUND['x86_64']}\n.globl word, room\n")
    assert faults(data, "x86_64") == (
        f"entry {entry:#x} is not in executable bytes: define _start in a section of code")


def test_an_entry_in_bytes_that_the_file_does_not_hold(shop: Workshop) -> None:
    script = shop.path(".ld")
    script.write_text("SECTIONS { . = 0x401000; .code (NOLOAD) : { *(.code) } }", "utf-8")
    source = '.globl _start\n.section .code, "ax", %nobits\n_start: .space 64\n'
    data = shop.elf("x86_64", "-T", script, source=source)
    assert faults(data, "x86_64") == (
        "entry 0x401000 is not in executable bytes: define _start in a section of code")


def script_for(shop: Workshop, sections: str) -> Path:
    """Write a linker script with a segment of code, one of data, and a stack."""
    script = shop.path(".ld")
    script.write_text(f"""
        PHDRS {{ code PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); stack PT_GNU_STACK FLAGS(6); }}
        SECTIONS {{ {sections} .bss : {{ *(.bss) }} :data }}""", "utf-8")
    return script


def test_segments_that_overlap(shop: Workshop) -> None:
    script = script_for(shop, ". = 0x401000; .text : { *(.text) . = 0x2000; } :code "
                              ".data 0x402000 : { *(.data) } :data")
    assert faults(shop.elf("x86_64", "-T", script, "--no-check-sections"), "x86_64") == (
        "segments at 0x401000 and 0x402000 overlap: link it with the two apart")


def test_segments_that_share_a_page(shop: Workshop) -> None:
    script = script_for(shop, ". = 0x400000 + SIZEOF_HEADERS; .text : { *(.text) } :code "
                              ".data 0x400800 : { *(.data) } :data")
    assert faults(shop.elf("x86_64", "-T", script), "x86_64") == (
        "segments at 0x4000e8 (r-x) and 0x400800 (rw-) share a page: "
        "link it with -z max-page-size=0x1000")


@pytest.mark.parametrize(("start", "told"), [
    (0x402100, ""), (0x402180, ("segments at 0x402000 (rw-) and 0x402180 (rw-) share a page: "
                                "link it with -z max-page-size=0x1000"))])
def test_segments_of_equal_rights_that_share_a_page(
        shop: Workshop, start: int, told: str) -> None:
    script = shop.path(".ld")
    script.write_text(f"""
        PHDRS {{ code PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); more PT_LOAD FLAGS(6);
                stack PT_GNU_STACK FLAGS(6); }}
        SECTIONS {{ . = 0x401000; .text : {{ *(.text) }} :code
                   .data 0x402000 : {{ *(.data) }} :data
                   .more {start:#x} : {{ BYTE(1) *(.bss) }} :more }}""", "utf-8")
    data = shop.elf("x86_64", "-T", script)
    if told:  # the linker keeps the two at one distance: take the last from elsewhere in the file
        place = 64 + 2 * 56 + 8
        data = changed(data, place, "<Q", struct.unpack_from("<Q", data, place)[0] - 0x1000)
    assert faults(data, "x86_64") == told


def test_a_segment_at_another_place_of_its_page(shop: Workshop) -> None:
    data = shop.elf("x86_32", "-z", "max-page-size=64", "-z", "noseparate-code")
    assert faults(data, "x86_32") == (
        "segment at 0x80480e8 cannot be mapped from offset 0xa8, at another place of its page: "
        "link it with -z max-page-size=0x1000\n"
        "segments at 0x8048000 (r-x) and 0x80480e8 (rw-) share a page: "
        "link it with -z max-page-size=0x1000")


def test_a_segment_with_more_in_the_file_than_in_memory(shop: Workshop) -> None:
    data = shop.elf("x86_64")
    size = 64 + 56 + 40  # p_memsz of the second program header, which is that of the code
    assert faults(changed(data, size, "<Q", 1), "x86_64") == (
        "segment at 0x401000 has more bytes in the file than in memory: mend the linker script")


def test_a_segment_where_nothing_may_be(shop: Workshop) -> None:
    assert faults(shop.elf("arm64_linux", "-Ttext-segment=0"), "arm64_linux") == (
        "segment at 0x0 is below 0x10000, where Linux maps nothing: link it at a higher address")


@pytest.mark.parametrize(("target", "start"), [
    ("x86_32", 0xD0000000), ("x86_64", 0xFFFFFFFF80000000), ("arm64_linux", 0x800000000000)])
def test_a_segment_in_the_kernel(shop: Workshop, target: str, start: int) -> None:
    source = f".globl _start\n_start: {CALL[target]} _start\n"
    fault = faults(shop.elf(target, f"-Ttext-segment={start:#x}", source=source), target)
    fault = fault.split("\n")[0]
    end = fault.split(" ends at ")[1].split(",")[0]
    assert fault == (f"segment at {start:#x} ends at {end}, beyond user space: "
                     "link it at a lower address")
    assert start < int(end, 16) < start + 0x1000


def test_a_program_for_another_system(shop: Workshop) -> None:
    program = shop.program("x86_64")
    shop.run("elfedit", "--output-osabi", "FreeBSD", program)
    assert faults(program.read_bytes(), "x86_64") == (
        "made for another system (EI_OSABI 9): link it for Linux")


def test_a_program_for_a_machine_that_is_no_target(shop: Workshop) -> None:
    program = shop.program("x86_64")
    shop.run("elfedit", "--output-mach", "L1OM", program)
    assert faults(program.read_bytes(), "x86_64") == (
        "made for machine 0xb4, 64-bit, little-endian, not x86_64: "
        "assemble and link it for x86_64")


def test_32_bit_pointers_on_a_64_bit_machine(shop: Workshop) -> None:
    thing = shop.assembled("x86_64", SOUND["x86_64"], "--x32")
    data = shop.link("x86_64", thing, base=("-m", "elf32_x86_64", "-z", "noexecstack")).read_bytes()
    assert faults(data, "x86_64") == (
        "made for machine 0x3e, 32-bit, little-endian, not x86_64: "
        "assemble and link it for x86_64")


def test_a_big_endian_program(shop: Workshop) -> None:
    thing = shop.assembled("arm64_linux", SOUND["arm64_linux"], "-EB")
    data = shop.link("arm64_linux", thing,
                     base=("-m", "aarch64linuxb", "-z", "noexecstack")).read_bytes()
    assert faults(data, "arm64_linux") == (
        "made for machine 0xb7, 64-bit, big-endian, not arm64_linux: "
        "assemble and link it for arm64_linux")


def test_compressed_debug_information(shop: Workshop) -> None:
    thing = shop.assembled("x86_64", f"{SOUND['x86_64']}\n.text\n" + "nop\n" * 999, "-g")
    data = shop.link("x86_64", thing, "--compress-debug-sections=zlib-gabi").read_bytes()
    assert faults(data, "x86_64") == (
        "compressed sections, which hide the paths of the machine that built it: "
        "assemble and link it with --compress-debug-sections=none")


def test_relocations_kept_for_tools_are_sound(shop: Workshop) -> None:
    assert faults(shop.elf("x86_64", "--emit-relocs"), "x86_64") == ""


def test_several_faults_are_told_at_once(shop: Workshop) -> None:
    data = shop.elf("x86_64", "-N", "-z", "execstack", "--unresolved-symbols=ignore-all",
                    source=".globl _start\n_start: call helper\n")
    assert [fault.split(" ")[0] for fault in faults(data, "x86_64").split("\n")] == [
        "undefined:", "executable", "segment"]
