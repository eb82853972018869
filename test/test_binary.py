"""What the check of linked programs holds for every format: soundness, sizes, paths, damage."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from crossasm.binary import Report, check
from crossasm.targets import TARGETS
from crossasm.toolchain import find_toolchain
from linked import ELF_TARGETS, LIBSYSTEM, SOUND, Workshop, changed, faults, llvm

MUTANTS = 400  # of each target's program


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """A program for each target, linked as the tool links them."""
    made = Workshop(tmp_path_factory.mktemp("sound"))
    return {name: made.program(name) for name in TARGETS}


def report(path: Path, target: str) -> Report:
    return check(path.read_bytes(), TARGETS[target], name="prog", max_size=None)


def output(*command: object) -> str:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=True).stdout


@pytest.mark.parametrize("target", TARGETS)
def test_a_sound_program_has_no_fault(sound: Dict[str, Path], target: str) -> None:
    assert faults(sound[target].read_bytes(), target) == ""


@pytest.mark.parametrize("target", TARGETS)
def test_a_sound_program_stripped_by_its_linker_has_no_fault(shop: Workshop, target: str) -> None:
    make = shop.macho if target == "arm64_macos" else lambda *flags: shop.elf(target, *flags)
    data = make(*TARGETS[target].strip_flags)
    assert faults(data, target) == ""


def test_every_program_of_this_repository_has_no_fault(built_programs: Path) -> None:
    programs = [path for name in TARGETS for path in (built_programs / name).glob("*")
                if path.is_file() and not path.suffix]
    assert len(programs) >= 5
    said = {path: faults(path.read_bytes(), path.parent.name) for path in programs}
    assert said == dict.fromkeys(programs, "")


@pytest.mark.parametrize("target", ELF_TARGETS)
def test_facts_of_elf_are_those_of_readelf(sound: Dict[str, Path], target: str) -> None:
    found = report(sound[target], target)
    readelf = find_toolchain(TARGETS[target]).tools["ld"][:-2] + "readelf"
    text = output(readelf, "-hlW", sound[target])
    rows = re.findall(r"^  LOAD +(\w+) (\w+) \w+ (\w+) (\w+) (...) ", text, re.MULTILINE)
    assert [(int(offset, 16), int(address, 16), int(size, 16), int(most, 16),
             marks.lower().replace("e", "x").replace(" ", "-"))
            for offset, address, size, most, marks in rows] == [
        (part.offset, part.address, part.file_size, part.size, part.rights)
        for part in found.segments]
    assert f"Entry point address:               {found.entry:#x}" in text
    assert (found.size, found.libraries, found.imports, found.system) == (
        sound[target].stat().st_size, (), (), "")


def test_facts_of_macho_are_those_of_llvm_objdump(sound: Dict[str, Path]) -> None:
    path = sound["arm64_macos"]
    found = report(path, "arm64_macos")
    text = output(llvm("llvm-objdump"), "--macho", "--private-headers", path)
    rows = re.findall(r"^  segname (\S+)\n +vmaddr (\w+)\n +vmsize (\w+)\n +fileoff (\d+)\n"
                      r" +filesize (\d+)\n +maxprot (...)\n +initprot (...)$", text, re.MULTILINE)
    assert [(name, int(address, 16), int(size, 16), int(at), int(length), most, marks)
            for name, address, size, at, length, most, marks in rows] == [
        (part.name, part.address, part.size, part.offset, part.file_size, part.most, part.rights)
        for part in found.segments]
    entry = re.search(r"entryoff (\d+)", text)
    assert entry
    assert found.entry == 0x100000000 + int(entry[1])
    assert re.findall(r"name (/usr/lib/lib\S+)", text) == [LIBSYSTEM] == list(found.libraries)
    assert f"minos {found.system.split()[1]}" in text
    undefined = output(llvm("llvm-nm"), "-u", path).split()
    assert sorted(found.imports) == sorted(word for word in undefined if word != "U")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("other", TARGETS)
def test_a_program_for_another_target(sound: Dict[str, Path], target: str, other: str) -> None:
    if target == other:
        return
    data = sound[other].read_bytes()
    start, kind = data[:4].hex(" "), "Mach-O" if target == "arm64_macos" else "ELF"
    article = "a" if kind == "Mach-O" else "an"
    wanted = f"made for {other}, not {target}: assemble and link it for {target}"
    if "arm64_macos" in (target, other):
        wanted = f"not {article} {kind} file (it begins with {start}): link it again for {target}"
    assert faults(data, target) == wanted


def test_a_size_over_max_size(sound: Dict[str, Path]) -> None:
    data = sound["x86_64"].read_bytes().ljust(12_345, b"\0")
    assert faults(data, "x86_64", max_size=10_240) == (
        "12,345 bytes, 2,105 over max_size of 10,240: make prog smaller, or raise its max_size")
    assert faults(data, "x86_64", max_size=12_345) == ""
    assert faults(data, "x86_64", max_size=12_344) == (
        "12,345 bytes, 1 over max_size of 12,344: make prog smaller, or raise its max_size")


PATHS: List[Tuple[str, str, str]] = [
    ("the folder itself", "/home/ann/demo", "/home/ann/demo"),
    ("a file in it", "/home/ann/demo/src/a.asm", "/home/ann/demo/src/a.asm"),
    ("a file elsewhere at home", "/home/ann/notes", "/home/ann/notes"),
    ("after a flag", "-I/home/ann/demo/inc", "/home/ann/demo/inc"),
    ("after an equals sign", "dir=/home/ann/demo", "/home/ann/demo"),
    ("at the end of a sentence", "in /home/ann/demo.", "/home/ann/demo."),
    ("in a URL", "file:///home/ann/demo/x", "/home/ann/demo/x"),
    ("another user's", "/home/anne/demo", ""),
    ("a folder whose name goes on", "/home/ann-old", ""),
    ("a file whose name goes on", "/home/ann.txt", ""),
    ("the end of another path", "/srv/home/ann", ""),
    ("not absolute", "home/ann/demo", ""),
]


@pytest.mark.parametrize(("text", "found"), [row[1:] for row in PATHS],
                         ids=[row[0] for row in PATHS])
def test_a_path_of_the_machine_inside(shop: Workshop, text: str, found: str) -> None:
    data = shop.elf("x86_64", source=f'{SOUND["x86_64"]}\n.data\n.asciz "{text}"\n')
    place = data.find(found.encode())
    wanted = (f"'{found}' at offset {place:#x} is a path of the machine that built it: "
              "name files relative to the project") if found else ""
    assert faults(data, "x86_64",
                  forbidden=["/home/ann/", "/home/ann/demo", "/", ""]) == wanted


def test_a_path_that_stands_there_twice(shop: Workshop) -> None:
    data = shop.elf("x86_64", source=f'{SOUND["x86_64"]}\n.data\n.asciz "/b/x", "/b/y", "/b"\n')
    assert faults(data, "x86_64", forbidden=["/b"]) == (
        f"'/b/x' at offset {data.index(b'/b/x'):#x} and 2 more times is a path of the machine that "
        "built it: name files relative to the project")


@pytest.mark.parametrize("target", TARGETS)
def test_a_path_from_an_embedded_file(shop: Workshop, target: str) -> None:
    (shop.folder / "notes.txt").write_text(f"made in {shop.folder}\n", "utf-8")
    source = f'{SOUND[target]}\n.data\n.incbin "notes.txt"\n'
    data = shop.macho(source=source) if target == "arm64_macos" else shop.elf(target, source=source)
    place = data.index(bytes(shop.folder))
    assert faults(data, target, forbidden=[str(shop.folder)]) == (
        f"'{shop.folder}' at offset {place:#x} is a path of the machine that built it: "
        "name files relative to the project")


def test_a_path_in_debug_information(shop: Workshop) -> None:
    data = shop.link("x86_64", shop.assembled("x86_64", SOUND["x86_64"], "-g")).read_bytes()
    said = faults(data, "x86_64", forbidden=[str(shop.folder)])
    assert [line.split(" at offset")[0] for line in said.split("\n")] == [f"'{shop.folder}'"]


def mutant(chance: random.Random, data: bytes) -> bytes:
    """Return a program cut short, or with numbers overwritten where the tables are."""
    if chance.random() < 0.15:
        return data[:chance.randrange(len(data) + 1)]
    low, high = chance.choice(((0, 1400), (0, 1400), (0, len(data)), (len(data) - 1600, len(data))))
    body = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at, width = chance.randrange(max(0, low), min(high, len(data))), chance.choice((1, 2, 4, 8))
        most = (1 << 8 * width) - 1
        value = chance.choice((0, 1, most, most >> 1, chance.randrange(most), chance.randrange(99)))
        body[at:at + width] = value.to_bytes(width, chance.choice(("little", "big")))
    return bytes(body)


@pytest.mark.parametrize("target", TARGETS)
def test_a_damaged_program_gives_lines_and_no_traceback(
        sound: Dict[str, Path], target: str) -> None:
    chance = random.Random(target)  # noqa: S311 - the same damage on each run
    data, faulty = sound[target].read_bytes(), 0
    for _ in range(MUTANTS):
        said = faults(mutant(chance, data), target, forbidden=["/home/ann"])
        assert all(line.isprintable() for line in said.split("\n"))
        faulty += bool(said)
    assert faulty > MUTANTS // 5


@pytest.mark.parametrize(("size", "fault"), [
    (0, "not an ELF file (it begins with nothing)"),
    (40, "cut short or damaged: the ELF header should end at byte 64 of 40"),
    (4000, "cut short or damaged: segment 1 should end at byte 4,115 of 4,000"),
    (8927, "cut short or damaged: the table of section headers should end at byte 8,928 of 8,927"),
])
def test_a_file_cut_short(sound: Dict[str, Path], size: int, fault: str) -> None:
    data = sound["x86_64"].read_bytes()[:size]
    assert faults(data, "x86_64") == f"{fault}: link it again for x86_64"


def test_a_file_of_another_kind() -> None:
    assert faults(b"#!/bin/sh\n", "x86_64") == (
        "not an ELF file (it begins with 23 21 2f 62): link it again for x86_64")


@pytest.mark.parametrize(("at", "layout"), [(0x28, "<Q"), (0x3C, "<H")])
def test_a_program_without_sections_is_sound(shop: Workshop, at: int, layout: str) -> None:
    assert faults(changed(shop.elf("x86_64"), at, layout, 0), "x86_64") == ""


@pytest.mark.parametrize(("at", "value", "told"), [
    (0x04, 3, "an ELF header of unknown word size (3) or byte order (1)"),
    (0x05, 3, "an ELF header of unknown word size (2) or byte order (3)"),
    (0x36, 32, "program headers of 32 bytes, not 56"),
    (0x3A, 40, "section headers of 40 bytes, not 64")])
def test_a_header_that_cannot_be_right(shop: Workshop, at: int, value: int, told: str) -> None:
    assert faults(changed(shop.elf("x86_64"), at, "B", value), "x86_64") == (
        f"{told}: link it again for x86_64")


def test_a_section_beyond_the_end(shop: Workshop) -> None:
    data = shop.elf("x86_64")
    table = struct.unpack_from("<Q", data, 0x28)[0]
    size = struct.unpack_from("<Q", data, table + 64 + 32)[0]
    assert faults(changed(data, table + 64 + 24, "<Q", len(data)), "x86_64") == (
        f"cut short or damaged: section 1 should end at byte {len(data) + size:,} of "
        f"{len(data):,}: link it again for x86_64")
