"""What the check says of the signature of a Mach-O program: none, damaged, or of something else."""

from __future__ import annotations

import struct

import pytest

from linked import Workshop, changed, command, faults, llvm, resigned

LC_SEGMENT_64, LC_CODE_SIGNATURE, LC_DATA_IN_CODE = 0x19, 0x1D, 0x29


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sound program, signed by its linker."""
    return Workshop(tmp_path_factory.mktemp("sound")).macho()


def faults_of(data: bytes) -> str:
    return faults(data, "arm64_macos")


def signature(data: bytes) -> int:
    """Return the offset of the signature."""
    return data.rindex(bytes.fromhex("fade0cc0"))


def directory(data: bytes) -> int:
    """Return the offset of the CodeDirectory."""
    return data.rindex(bytes.fromhex("fade0c02"))


def test_resigning_changes_nothing_in_a_sound_program(program: bytes) -> None:
    assert resigned(program) == program
    assert faults_of(program) == ""


def test_not_signed(shop: Workshop) -> None:
    assert faults_of(shop.macho("-no_adhoc_codesign")) == (
        "no LC_CODE_SIGNATURE: link it with -adhoc_codesign")


def test_a_byte_changed_in_any_page(program: bytes) -> None:
    pages = range(-(-signature(program) // 4096))
    assert len(pages) > 4
    for page in pages[1:]:
        at = min(page * 4096 + 77, signature(program) - 1)
        assert faults_of(changed(program, at, "B", program[at] ^ 1)) == (
            f"changed after it was signed, in the page at {page * 4096:#x}: "
            "sign it as the last step, or link it again")


def test_a_byte_changed_at_either_end_of_what_is_signed(program: bytes) -> None:
    for at in (28, signature(program) - 1):  # in the header it is a reserved field
        assert faults_of(changed(program, at, "B", program[at] ^ 1)) == (
            f"changed after it was signed, in the page at {at // 4096 * 4096:#x}: "
            "sign it as the last step, or link it again")


def test_a_hash_changed(program: bytes) -> None:
    at = directory(program) + struct.unpack_from(">I", program, directory(program) + 16)[0]
    assert faults_of(changed(program, at, "B", program[at] ^ 1)) == (
        "changed after it was signed, in the page at 0x0: "
        "sign it as the last step, or link it again")


def test_hashes_by_sha1(program: bytes) -> None:
    data = resigned(program, "sha1")
    assert faults_of(data) == ""
    assert faults_of(changed(data, 5000, "B", data[5000] ^ 1)) == (
        "changed after it was signed, in the page at 0x1000: "
        "sign it as the last step, or link it again")


def test_a_page_without_a_hash(program: bytes) -> None:
    at = directory(program) + 28
    count = struct.unpack_from(">I", program, at)[0]
    assert faults_of(changed(program, at, ">I", count - 1)) == (
        f"changed after it was signed, in the page at {(count - 1) * 4096:#x}: "
        "sign it as the last step, or link it again")


def test_a_signature_of_another_length_of_the_file(program: bytes) -> None:
    end = signature(program)
    assert faults_of(changed(program, directory(program) + 32, ">I", end - 16)) == (
        f"the signature covers {end - 16:,} bytes, not the {end:,} before it: sign it again")


def test_a_signature_without_an_identifier(program: bytes) -> None:
    at = directory(program)
    name = at + struct.unpack_from(">I", program, at + 20)[0]
    assert faults_of(changed(program, name, "B", 0)) == (
        "signed without an identifier: link it with -adhoc_codesign")


def test_a_signature_that_is_not_ad_hoc(program: bytes) -> None:
    assert faults_of(changed(program, directory(program) + 12, ">I", 0)) == (
        "signed by nobody, yet not ad hoc: link it with -adhoc_codesign")


@pytest.mark.parametrize(("offset", "layout", "value", "fault"), [
    (0, ">I", 0xFADE0CC1, "a signature of unknown kind (0xfade0cc1)"),
    (24, ">I", 0xFADE0C01, "a code directory of unknown kind (0xfade0c01)"),
    (32, ">I", 0x20000, "a code directory of unknown version (0x20000) or page size (2**12)"),
    (60, "B", 16, "a code directory of unknown hash (type 2, 16 bytes)"),
    (61, "B", 9, "a code directory of unknown hash (type 9, 32 bytes)"),
    (63, "B", 0, "a code directory of unknown version (0x20400) or page size (2**0)"),
    (68, ">I", 4, "a code directory with scattered pages"),
])
def test_a_signature_of_an_unknown_form(program: bytes, offset: int, layout: str, value: int,
                                        fault: str) -> None:
    data = changed(program, signature(program) + offset, layout, value)
    assert faults_of(data) == f"{fault}: link it again for arm64_macos"


def test_a_signature_without_hashes(program: bytes) -> None:
    assert faults_of(changed(program, signature(program) + 12, ">I", 2)) == (
        "a signature without a CodeDirectory: link it with -adhoc_codesign")


@pytest.mark.parametrize(("slot", "wanted"), [
    (0x10000, ""), (0x10001, "signed by nobody, yet not ad hoc: link it with -adhoc_codesign")])
def test_a_signature_of_somebody_need_not_be_ad_hoc(
        program: bytes, slot: int, wanted: str) -> None:
    start = signature(program)
    length, _, _, at = struct.unpack_from(">IIII", program, start + 4)
    index = struct.pack(">IIIIII", length + 8, 2, 0, at + 8, slot, at + 8)
    data = program[:start + 4] + index + program[start + 20:]
    data = changed(data, directory(data) + 12, ">I", 0)
    data = changed(data, command(data, LC_CODE_SIGNATURE) + 12, "<I", length + 8)
    for field in (32, 48):  # vmsize and filesize of __LINKEDIT
        place = command(data, LC_SEGMENT_64, 4) + field
        data = changed(data, place, "<Q", struct.unpack_from("<Q", data, place)[0] + 8)
    assert faults_of(resigned(data)) == wanted


def test_hashes_in_an_alternate_directory(program: bytes) -> None:
    data = changed(program, signature(program) + 12, ">I", 0x1001)
    assert faults_of(data) == ""
    assert "in the page at 0x1000" in faults_of(changed(data, 5000, "B", data[5000] ^ 1))


@pytest.mark.parametrize(("version", "offset", "layout", "value", "sound"), [
    (0x20001, 44, ">I", 1, True), (0x20100, 44, ">I", 1, False),
    (0x20200, 56, ">Q", 16, True), (0x20300, 56, ">Q", 16, False)])
def test_fields_count_from_the_version_that_has_them(
        program: bytes, version: int, offset: int, layout: str, value: int, *,
        sound: bool) -> None:
    start = directory(program)
    data = changed(program, start + 8, ">I", version)
    assert (faults_of(changed(data, start + offset, layout, value)) == "") == sound


def test_a_length_in_64_bits(program: bytes) -> None:
    start, end = directory(program), signature(program)
    data = changed(program, start + 56, ">Q", end)
    assert faults_of(changed(data, start + 32, ">I", 0)) == ""
    assert faults_of(changed(program, start + 56, ">Q", 1 << 60)) == (
        f"the signature covers {1 << 60:,} bytes, not the {end:,} before it: sign it again")


def test_a_hash_of_no_page(program: bytes) -> None:
    data = resigned(program, "sha1")  # whose hashes are shorter, so that there is room for more
    at = directory(data) + 28
    count = struct.unpack_from(">I", data, at)[0]
    assert faults_of(changed(data, at, ">I", count + 1)) == (
        f"changed after it was signed, in the page at {count * 4096:#x}: "
        "sign it as the last step, or link it again")


def test_two_signatures(program: bytes) -> None:
    data = changed(program, command(program, LC_DATA_IN_CODE), "<I", LC_CODE_SIGNATURE)
    assert faults_of(resigned(data)) == "2 LC_CODE_SIGNATURE: link it with -adhoc_codesign"


def test_bytes_after_the_signature(program: bytes) -> None:
    end = len(program)
    assert faults_of(program + b"more") == (
        f"goes on after its signature, from offset {end:#x}: link it again, and add nothing")


def test_a_signature_outside_linkedit(program: bytes) -> None:
    at = command(program, LC_SEGMENT_64, 4)
    size = struct.unpack_from("<Q", program, at + 48)[0]
    data = resigned(changed(program, at + 48, "<Q", size - 8))
    assert faults_of(data) == "the signature is not the end of __LINKEDIT: link it again"


def test_llvm_strip_signs_again(shop: Workshop) -> None:
    made = shop.program("arm64_macos")
    shop.run(llvm("llvm-strip"), made)
    assert faults_of(made.read_bytes()) == ""
