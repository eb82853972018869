"""Each fault of a Mach-O program that the check names, in a program made to have it.

Where no linker here makes the fault, a few bytes of a program are changed, and it is signed again.
"""

from __future__ import annotations

import struct
from typing import Tuple

import pytest

from crossasm.binary import macho
from crossasm.binary.fields import Fields, Malformed
from crossasm.binary.fixups import Fixups, chained, opcodes
from linked import LIBSYSTEM, SOUND, Workshop, changed, command, faults, llvm, resigned

MACOS = ("-arch", "arm64", "-platform_version", "macos", "11.0", "11.0")
CALLS_HELPER = ".globl _main\n.p2align 2\n_main: bl _helper\n"
EMPTY = ".globl _main\n.p2align 2\n_main: ret\n"
LC_MAIN, LC_UUID, LC_SYMTAB, LC_SEGMENT_64 = 0x80000028, 0x1B, 0x2, 0x19
LC_LOAD_DYLINKER, LC_BUILD_VERSION, LC_CODE_SIGNATURE = 0xE, 0x32, 0x1D
LC_DYLD_INFO_ONLY = 0x80000022


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sound program, signed by its linker."""
    return Workshop(tmp_path_factory.mktemp("sound")).macho()


def faults_of(data: bytes) -> str:
    return faults(data, "arm64_macos")


def test_another_library(shop: Workshop) -> None:
    for flags in ([], ["-weak_library"], ["-reexport_library"]):
        data = shop.macho(*flags, shop.stub("/usr/lib/libz.1.dylib", "_zlibVersion"))
        assert faults_of(data) == (
            "needs the library /usr/lib/libz.1.dylib: link it with libSystem alone")


def test_without_libsystem(shop: Workshop) -> None:
    thing = shop.assembled("arm64_macos", EMPTY)
    data = shop.link("arm64_macos", "--threads=1", thing).read_bytes()
    assert faults_of(data) == (f"{LIBSYSTEM} is not linked, without which dyld starts nothing: "
                            "link it with libSystem")


@pytest.mark.parametrize("flags", [("-undefined", "dynamic_lookup"), ("-U", "_helper")])
def test_a_symbol_of_no_library(shop: Workshop, flags: Tuple[str, ...]) -> None:
    wanted = ("undefined, and of no library: _helper: define what is missing, and "
              "link it without -undefined dynamic_lookup")
    data = shop.macho(*flags, source=CALLS_HELPER)
    assert faults_of(data) == wanted
    at = command(data, LC_SYMTAB) + 12  # what dyld binds is read too, should the symbols be gone
    assert faults_of(resigned(changed(data, at, "<I", 0))) == wanted


def test_a_flat_namespace(shop: Workshop) -> None:
    assert faults_of(shop.macho("-flat_namespace")) == (
        "its header lacks MH_NOUNDEFS, MH_TWOLEVEL: "
        "link it without -no_pie, -flat_namespace and -static")


def test_not_position_independent(shop: Workshop) -> None:
    assert faults_of(shop.macho("-no_pie")) == (
        "its header lacks MH_PIE: link it without -no_pie, -flat_namespace and -static")


def test_an_executable_stack(program: bytes) -> None:
    flags = struct.unpack_from("<I", program, 24)[0]
    assert faults_of(resigned(changed(program, 24, "<I", flags | 0x20000))) == (
        "executable stack (MH_ALLOW_STACK_EXECUTION): link it without -allow_stack_execute")


@pytest.mark.parametrize(("flag", "kind"), [
    ("-dylib", "a shared library"), ("-bundle", "a bundle")])
def test_no_program(shop: Workshop, flag: str, kind: str) -> None:
    assert faults_of(shop.macho(flag)) == (
        f"{kind}, not a program: link it without -r, -dylib and -bundle")


def test_an_object_file(shop: Workshop) -> None:
    data = shop.assembled("arm64_macos", SOUND["arm64_macos"]).read_bytes()
    assert faults_of(data) == (
        "an object file, not a program: link it without -r, -dylib and -bundle")


def test_another_platform(shop: Workshop) -> None:
    data = shop.macho("-adhoc_codesign", triple="arm64-apple-ios14",
                      base=("-arch", "arm64", "-platform_version", "ios", "14.0", "14.0"))
    assert faults_of(data) == "made for iOS, not macOS: link it with -platform_version macos"


def test_the_platform_told_as_before_macos_10_14(shop: Workshop) -> None:
    data = shop.macho("-adhoc_codesign", base=(*MACOS[:4], "10.13", "11.0"))
    assert faults_of(data) == "0 LC_BUILD_VERSION, not one: link it with -platform_version macos"


def test_no_oldest_system(program: bytes) -> None:
    at = command(program, LC_BUILD_VERSION) + 12
    assert faults_of(resigned(changed(program, at, "<I", 0))) == (
        "names 0.0 as the oldest macOS to run on: link it with -platform_version macos 11.0")


@pytest.mark.parametrize(("triple", "arch", "machine"), [
    ("x86_64-apple-macos11", "x86_64", 0x1000007), ("arm64_32-apple-watchos7", "", 0x200000C)])
def test_another_machine(shop: Workshop, triple: str, arch: str, machine: int) -> None:
    source = ".globl _main\n_main: ret\n"
    if arch:
        data, bits = shop.macho(triple=triple, source=source,
                                base=("-arch", arch, *MACOS[2:])), 64
    else:
        data, bits = shop.assembled("arm64_macos", source, triple=triple).read_bytes(), 32
    assert faults_of(data) == (f"made for machine {machine:#x}, {bits}-bit, little-endian, not "
                            "arm64_macos: assemble and link it for arm64_macos")


def test_a_variant_of_the_machine(program: bytes) -> None:
    assert faults_of(resigned(changed(program, 8, "<I", 0x80000002))) == (
        "made for a variant of arm64 (cpusubtype 2): assemble it for arm64")


def test_a_universal_file(shop: Workshop) -> None:
    made = shop.program("arm64_macos")
    shop.run(llvm("llvm-lipo"), "-create", made, "-output", "fat")
    assert faults_of((shop.folder / "fat").read_bytes()) == (
        "a universal file of several machines' programs: link it again for arm64_macos")


def test_a_segment_writable_and_executable(shop: Workshop) -> None:
    assert faults_of(shop.macho("-segprot", "__DATA", "rwx", "rwx")) == (
        "segment __DATA at 0x100008000 is writable and executable: "
        "keep code and data in sections of their own, and link without -N or -segprot")


def test_a_segment_that_may_become_writable_and_executable(program: bytes) -> None:
    at = command(program, LC_SEGMENT_64, 3) + 56
    assert faults_of(resigned(changed(program, at, "<I", 7))) == (
        "segment __DATA at 0x100008000 is writable and executable: "
        "keep code and data in sections of their own, and link without -N or -segprot")


def test_an_entry_in_the_header(shop: Workshop) -> None:
    assert faults_of(shop.macho("-e", "__mh_execute_header")) == (
        "entry at offset 0x0 is not in executable code: define _main in __TEXT,__text")


def test_an_entry_in_data(shop: Workshop) -> None:
    data = shop.macho("-e", "text", source=f"{SOUND['arm64_macos']}\n.globl text\n")
    assert faults_of(data) == (
        f"entry at offset {data.index(b'hi'):#x} is not in executable code: "
        "define _main in __TEXT,__text")


def test_an_entry_after_the_last_instruction(program: bytes) -> None:
    end = max(end for _, end in macho.read(program).code)
    data = resigned(changed(program, command(program, LC_MAIN) + 8, "<Q", end))
    assert faults_of(data) == (
        f"entry at offset {end:#x} is not in executable code: define _main in __TEXT,__text")


def test_an_entry_between_instructions(program: bytes) -> None:
    at = command(program, LC_MAIN) + 8
    entry = struct.unpack_from("<Q", program, at)[0] + 2
    assert faults_of(resigned(changed(program, at, "<Q", entry))) == (
        f"entry at offset {entry:#x} is not in executable code: define _main in __TEXT,__text")


def test_code_that_may_not_be_executed(shop: Workshop) -> None:
    data = shop.macho("-segprot", "__TEXT", "r", "r")
    entry = macho.read(data).entries[0]
    assert faults_of(data) == (
        f"entry at offset {entry:#x} is not in executable code: define _main in __TEXT,__text")


@pytest.mark.parametrize(("kind", "fault"), [
    (LC_MAIN, "0 LC_MAIN, not one: define _main, and link it again"),
    (LC_UUID, "no LC_UUID, without which dyld starts nothing: link it without -no_uuid"),
    (LC_LOAD_DYLINKER, "names no loader, not /usr/lib/dyld: link it without -static"),
    (LC_CODE_SIGNATURE, "no LC_CODE_SIGNATURE: link it with -adhoc_codesign"),
])
def test_a_load_command_missing(program: bytes, kind: int, fault: str) -> None:
    data = changed(program, command(program, kind), "<I", 0x7777)
    assert faults_of(resigned(data)) == fault


def test_another_loader(program: bytes) -> None:
    at = program.index(b"/usr/lib/dyld\0")
    assert faults_of(resigned(program[:at] + b"/usr/lib/dylx" + program[at + 13:])) == (
        "names /usr/lib/dylx, not /usr/lib/dyld: link it without -static")


@pytest.mark.parametrize("line", [".quad text", ".quad _write"])
def test_an_address_to_fill_in_in_the_text(shop: Workshop, line: str) -> None:
    data = shop.macho(source=f"{SOUND['arm64_macos']}\n.text\n.p2align 3\n{line}\n")
    assert faults_of(data) == (
        "addresses for dyld to fill in in __TEXT, which is not writable: "
        "move them to __DATA,__const")


@pytest.mark.parametrize(("field", "layout", "value"), [
    (8, "<Q", 0x58), (24, "<Q", 0x4000), (32, "<Q", 0x4000), (60, "<I", 1)],
    ids=["name", "address", "size", "rights"])
def test_no_page_zero_to_speak_of(program: bytes, field: int, layout: str, value: int) -> None:
    data = changed(program, command(program, LC_SEGMENT_64, 0) + field, layout, value)
    assert faults_of(resigned(data)).split("\n")[0] == (
        "no __PAGEZERO that keeps the first 0x100000000 bytes free: "
        "link it without -pagezero_size")


def test_a_segment_that_begins_within_a_page(program: bytes) -> None:
    at = command(program, LC_SEGMENT_64, 4) + 24
    address = struct.unpack_from("<Q", program, at)[0]
    assert faults_of(resigned(changed(program, at, "<Q", address + 0x1000))) == (
        "segment __LINKEDIT does not begin on a page of 0x4000 bytes: link it without -segalign")


def test_a_segment_from_within_a_page_of_the_file(program: bytes) -> None:
    at = command(program, LC_SEGMENT_64, 4)
    start, size = struct.unpack_from("<QQ", program, at + 40)
    data = changed(changed(program, at + 40, "<Q", start + 0x10), at + 48, "<Q", size - 0x10)
    assert faults_of(resigned(data)) == (
        "segment __LINKEDIT does not begin on a page of 0x4000 bytes: link it without -segalign")


def test_segments_that_overlap(program: bytes) -> None:
    at = command(program, LC_SEGMENT_64, 4) + 24
    assert faults_of(resigned(changed(program, at, "<Q", 0x100008000))) == (
        "segments at 0x100008000 and 0x100008000 overlap: link it with the two apart")


def test_segments_that_overlap_in_the_file(program: bytes) -> None:
    at = command(program, LC_SEGMENT_64, 4)
    start, size = struct.unpack_from("<QQ", program, at + 40)
    data = changed(changed(program, at + 40, "<Q", start - 0x4000), at + 48, "<Q", size + 0x4000)
    data = changed(data, at + 32, "<Q", size + 0x4000)
    assert faults_of(resigned(data)) == (
        "segments __DATA and __LINKEDIT overlap in the file: link it again")


def test_a_text_segment_without_bytes(program: bytes) -> None:
    at = command(program, LC_SEGMENT_64, 1) + 48
    assert faults_of(resigned(changed(program, at, "<Q", 0))) == (
        "no __TEXT that begins with the header: link it again")


def test_a_text_segment_without_the_header(program: bytes) -> None:
    at = program.index(b"__TEXT\0", command(program, LC_SEGMENT_64, 1))
    assert faults_of(resigned(program[:at] + b"__TIXT" + program[at + 6:])).split("\n")[0] == (
        "no __TEXT that begins with the header: link it again")


def chains(form: int, ordinal: int, *, in_second: bool) -> bytes:
    """Return LC_DYLD_CHAINED_FIXUPS of two segments of one page each, and one import `_helper`."""
    starts = struct.pack("<III", 2, 0, 12)
    starts += struct.pack("<IHHQIHH", 24, 0x4000, 6, 1, 0, 1, 8 if in_second else 0xFFFF)
    layout, shift, mask = {1: ("<I", 9, 0xFF), 2: ("<Ii", 9, 0xFF), 3: ("<QQ", 32, 0xFFFF)}[form]
    words = (1 << shift | ordinal & mask, 0)[:len(layout) - 1]
    imports = struct.pack(layout, *words)
    names_at = 28 + len(starts) + len(imports)
    head = struct.pack("<7I", 0, 28, 28 + len(starts), names_at, 1, form, 0)
    return head + starts + imports + b"\0_helper\0"


@pytest.mark.parametrize("form", [1, 2, 3])
@pytest.mark.parametrize(("ordinal", "told"), [(1, 1), (-2, 0xFE), (-1, 0xFF), (0, 0)])
def test_chained_fixups_are_read(form: int, ordinal: int, told: int) -> None:
    assert chained(Fields(chains(form, ordinal, in_second=True))) == Fixups(
        (1,), (("_helper", told),))
    assert chained(Fields(chains(form, ordinal, in_second=False))).segments == ()


def test_a_chained_fixup_of_a_library_of_a_great_number() -> None:
    assert chained(Fields(chains(3, 300, in_second=True))).imports == (("_helper", 300),)


REBASES = b"\x11\x23\x80\x21\x53\x00"  # segment 3 at 0x1080; then three times; done
BINDS = (b"\x20\xac\x02\x40_far\0\x51\x72\x05\x90"  # library 300; segment 2
         b"\x3e\x40_any\0\xa0\xf0\x71"  # any library, twice: 0x71 is the end of a number
         b"\x30\x40_own\0\xc0\x02\x74"  # the program itself; 0x74 likewise
         b"\x15\x40_near\0\x60\x7f\xb1\x00")  # library 5


def test_fixups_by_opcodes_are_read() -> None:
    data = REBASES + BINDS + b"\x40_weak\0\x71\x00\x90"
    weak = len(REBASES + BINDS)
    tables = (0, len(REBASES), len(REBASES), len(BINDS), weak, len(data) - weak, 0, 0)
    assert opcodes(Fields(data), tables) == Fixups(
        (1, 2, 3), (("_far", 300), ("_any", 0xFE), ("_own", 0), ("_near", 5)))


def test_a_number_without_an_end_in_the_fixups() -> None:
    with pytest.raises(Malformed, match=r"^a number without an end in a table of LC_DYLD_INFO$"):
        opcodes(Fields(b"\x20" + b"\xff" * 20), (0, 21, 0, 0, 0, 0, 0, 0))


@pytest.mark.parametrize("index", [5, 15])
def test_a_fixup_in_no_segment(program: bytes, index: int) -> None:
    at = struct.unpack_from("<I", program, command(program, LC_DYLD_INFO_ONLY) + 8)[0]
    at = program.index(b"\x23", at)  # REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB, __DATA
    assert faults_of(resigned(changed(program, at, "B", 0x20 | index))) == (
        f"a fixup in segment {index} of 5: link it again for arm64_macos")


def test_chained_fixups_of_an_unknown_form() -> None:
    data = changed(chains(1, 1, in_second=True), 20, "<I", 4)
    with pytest.raises(Malformed, match=r"^chained fixups with imports of an unknown .* \(4\)$"):
        chained(Fields(data))


@pytest.mark.parametrize(("size", "fault"), [
    (0, "not a Mach-O file (it begins with nothing)"),
    (20, "cut short or damaged: the Mach-O header should end at byte 28 of 20"),
    (100, "cut short or damaged: the load commands should end at byte 1,240 of 100"),
])
def test_a_file_cut_short(program: bytes, size: int, fault: str) -> None:
    assert faults_of(program[:size]) == f"{fault}: link it again for arm64_macos"


@pytest.mark.parametrize(("at", "value", "fault"), [
    (36, 0, "load command 0 has a size of 0"), (36, 76, "load command 0 has a size of 76"),
    (20, 1256, "load commands of 1,208 bytes, not 1,256 as the header says")])
def test_load_commands_that_cannot_be_right(
        program: bytes, at: int, value: int, fault: str) -> None:
    assert faults_of(changed(program, at, "<I", value)) == (
        f"{fault}: link it again for arm64_macos")
