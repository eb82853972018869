"""What the scanner says a source reads is never less than what strace saw the assembler open."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import List, Mapping, Optional, Sequence, Tuple

import pytest

from crossasm.includes import DIALECTS, Closure, Tree, ask, closure, wanted
from include_cases import CASES, FAMILIES, Case, commands
from include_fuzz import grow
from strace import Traced, traced

_PATH = ("-Ione", "-Itwo")
_TREES = 6
"""Random trees per dialect; thousands more were run when this was written."""


def tree_of(top: Path) -> Tree[str]:
    """Return the plain files below `top`; a node is its path."""
    return Tree(
        find=lambda path: path if (top / path).is_file() else None,
        read=lambda path: (top / path).read_bytes().decode("utf-8", "surrogateescape"),
        real=lambda path: top / path,
    )


def source_name(dialect: str) -> str:
    return "source.asm" if dialect == "nasm" else \
        "source.S" if dialect.startswith("cpp-") and "macos" not in dialect else "source.s"


def known(
    top: Path, dialect: str, flags: Sequence[str], source: str, lines: Sequence[Sequence[str]],
) -> Closure[str]:
    """Return what the scanner says that `source` reads, after asking the assembler if it must."""
    found = closure(DIALECTS[dialect], flags, (source, source), tree_of(top))
    if found.dynamic:
        found = ask(found, flags, (source, source), tree_of(top),
                    lambda folder: run_in(folder, lines))
    return found


def run_in(folder: Path, lines: Sequence[Sequence[str]]) -> Tuple[int, str]:
    """Run commands up to the first that fails; return its status and what all said."""
    said = ""
    for line in lines:
        done = subprocess.run(line, cwd=folder, check=False, capture_output=True, text=True,
                              errors="surrogateescape")
        said += done.stderr
        if done.returncode:
            return done.returncode, said
    return 0, said


def write(top: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        place = top / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode("utf-8", "surrogateescape"))


def compare(
    top: Path, dialect: str, flags: Tuple[str, ...], files: Mapping[str, str], text: str,
) -> Tuple[Closure[str], frozenset[str], Traced]:
    """Return what the scanner says, the same as plain paths, and what strace saw."""
    source = source_name(dialect)
    write(top, {**files, source: text})
    lines = commands(dialect, flags, source)
    found = known(top, dialect, flags, source, lines)
    seen = traced(lines, top)
    said = frozenset(os.path.normpath(path) for path in found.files)
    others = seen.files - {source, "object", "object.s"}
    return found, said, Traced(seen.status, seen.errors, others)


FORMS = [(case, dialect) for case in CASES for dialect in case.dialects]


@pytest.mark.parametrize(
    ("case", "dialect"), FORMS, ids=[f"{case.name}-{dialect}" for case, dialect in FORMS])
def test_form(case: Case, dialect: str, tmp_path: Path) -> None:
    found, said, seen = compare(tmp_path, dialect, (*_PATH, *case.flags), case.tree, case.text)
    assert (seen.status, seen.files) == (0, case.reads), seen.errors
    assert said == case.reads | case.extra
    assert (bool(found.dynamic), found.doubt) == (case.asks, ""), found.said


@pytest.mark.parametrize("dialect", sorted({name for names in FAMILIES.values() for name in names}))
def test_no_file_of_a_random_tree_is_missed(dialect: str, tmp_path: Path) -> None:
    assembled = 0
    for seed in range(_TREES):
        top = tmp_path / str(seed)
        tree = grow(seed, dialect)
        found, said, seen = compare(top, dialect, (*_PATH, "-I."), tree.files, tree.text)
        assert seen.files <= said or found.doubt, f"seed {seed}"
        assert (found.doubt == "") == (seen.status == 0) or not found.dynamic, f"seed {seed}"
        assembled += seen.status == 0
    assert assembled > _TREES * 3 // 4


def test_a_tree_with_one_file_less_is_noticed(tmp_path: Path) -> None:
    tree = grow(1, "nasm")
    _, said, seen = compare(tmp_path, "nasm", _PATH, tree.files, tree.text)
    assert all(not seen.files <= said - {path} for path in seen.files)


def closed(
    top: Path, files: Mapping[str, str], dialect: str = "nasm", flags: Sequence[str] = _PATH,
) -> Closure[str]:
    """Return the closure of the first of `files`, written to `top`."""
    write(top, files)
    source = next(iter(files))
    return closure(DIALECTS[dialect], flags, (source, source), tree_of(top))


def test_a_file_that_appears_earlier_on_the_path_takes_over(tmp_path: Path) -> None:
    files = {"s.asm": '%include "q.i"\n', "two/q.i": ""}
    assert list(closed(tmp_path, files).files) == ["two/q.i"]
    assert list(closed(tmp_path, {**files, "one/q.i": ""}).files) == ["one/q.i"]
    assert list(closed(tmp_path, {**files, "q.i": ""}).files) == ["q.i"]


def test_a_file_that_appears_earlier_takes_over_when_the_name_is_made(tmp_path: Path) -> None:
    lines = commands("nasm", _PATH, "source.asm")
    write(tmp_path, {"source.asm": '%define N "q.i"\n%include N\n', "two/q.i": ""})
    found = known(tmp_path, "nasm", _PATH, "source.asm", lines)
    assert (list(found.files), found.doubt) == (["two/q.i"], "")
    write(tmp_path, {"one/q.i": ""})
    found = known(tmp_path, "nasm", _PATH, "source.asm", lines)
    assert (list(found.files), found.doubt) == (["one/q.i"], "")


def test_a_file_still_to_be_built_is_named_and_its_text_left_for_later(tmp_path: Path) -> None:
    write(tmp_path, {"s.asm": '%include "made.i"\n', "a.i": ""})
    there = tree_of(tmp_path)
    planned = Tree(
        find=lambda path: path if path == "made.i" else there.find(path),
        read=lambda path: there.read(path) if there.find(path) else None,
        real=lambda path: there.real(path) if there.find(path) else None)
    found = closure(DIALECTS["nasm"], (), ("s.asm", "s.asm"), planned)
    assert (list(found.files), found.unread) == (["made.i"], ("made.i",))
    write(tmp_path, {"made.i": '%include "a.i"\n'})
    found = closure(DIALECTS["nasm"], (), ("s.asm", "s.asm"), planned)
    assert (list(found.files), found.unread) == (["made.i", "a.i"], ())


def test_a_made_name_of_a_file_still_to_be_built_waits_for_it(tmp_path: Path) -> None:
    write(tmp_path, {"s.asm": '%define N "made.i"\n%include N\n'})
    there = tree_of(tmp_path)
    planned = Tree(find=lambda path: path if path in {"s.asm", "made.i"} else None,
                   read=lambda path: there.read(path) if path == "s.asm" else None,
                   real=lambda path: there.real(path) if path == "s.asm" else None)
    found = closure(DIALECTS["nasm"], (), ("s.asm", "s.asm"), planned)
    found = ask(found, (), ("s.asm", "s.asm"), planned,
                lambda folder: run_in(folder, commands("nasm", (), "s.asm")))
    assert (list(found.files), found.unread) == (["made.i"], ("made.i",))
    assert found.doubt == "a file that is read here is not built yet"


def test_asking_leaves_room_for_what_the_command_writes(tmp_path: Path) -> None:
    flags = (*_PATH, "-l", "build/x/list", "-Lb")
    write(tmp_path, {"source.asm": '%define N "a.i"\n%include N\n', "a.i": "", "build/x/_": ""})
    found = known(tmp_path, "nasm", flags, "source.asm", commands("nasm", flags, "source.asm"))
    assert (list(found.files), found.doubt) == (["a.i"], "")


def test_what_is_nowhere_is_reported_with_its_place(tmp_path: Path) -> None:
    nested = '\n%if 0\nincbin "no"\n%endif\n'
    found = closed(tmp_path, {"s.asm": '%include "x.i"\n', "x.i": nested})
    places = [(place.file, place.reference.name, place.reference.line) for place in found.missing]
    assert places == [("x.i", "no", 3)]
    assert found.doubt == ""


def test_line_numbers_count_lines_of_the_file(tmp_path: Path) -> None:
    found = closed(tmp_path, {"s.asm": "nop ; \\\n\\\n\n%include X\r\n%include \\\n Y\n"})
    assert [place.reference.line for place in found.dynamic] == [4, 5]


def test_a_cycle_ends_and_each_file_is_read_once(tmp_path: Path) -> None:
    count = 300
    files = {f"{n}.i": f'%include "{(n + 1) % count}.i"\n%include "{(n * 7) % count}.i"\n'
             for n in range(count)}
    write(tmp_path, files)
    there, reads = tree_of(tmp_path), []

    def read(path: str) -> Optional[str]:
        reads.append(path)
        return there.read(path)

    found = closure(DIALECTS["nasm"], (), ("0.i", "0.i"), Tree(there.find, read, there.real))
    assert (len(found.files), sorted(reads)) == (count, sorted(files))


def test_a_name_that_is_not_utf8_is_found(tmp_path: Path) -> None:
    found, said, seen = compare(
        tmp_path, "nasm", (), {"\udcff.i": ""}, '%include "\udcff.i"\n')
    assert (seen.status, found.doubt) == (0, "")
    assert seen.files == said == {"\udcff.i"}


@pytest.mark.parametrize(("dialect", "flags", "text", "doubt"), [
    ("nasm", ("-I/absolute",), "%include N\n",
     "a name made by macros could be looked for in /absolute, an absolute folder"),
    ("nasm", (), '%define N "a"\n%pathsearch M N\n',
     "whether a file is there is asked by a name that macros make"),
    ("cpp-gas-x86", (), '#define H(x) __has_include(x)\n#if H("a.i")\n#endif\n',
     "whether a file is there is asked by a name that macros make"),
    ("nasm", (), "%include N\nno such instruction\n",
     "the assembler could not be asked which files it reads"),
    ("clang-x86", (), '.macro m f\n.include "\\f"\n.endm\nm no.i\n',
     "the assembler could not be asked which files it reads"),
])
def test_doubt(
    dialect: str, flags: Tuple[str, ...], text: str, doubt: str, tmp_path: Path
) -> None:
    source = source_name(dialect)
    write(tmp_path, {source: text})
    found = known(tmp_path, dialect, flags, source, commands(dialect, flags, source))
    assert (found.doubt, found.dynamic[0].file) == (doubt, source)


@pytest.mark.parametrize(("said", "places"), [
    ("a.asm:1: error: unable to open include file `x y.i': No such file or directory",
     [("", "x y.i", "include")]),
    ("a.asm:1: fatal: unable to open include file `x.i'", []),
    ("a.asm:1: error: `incbin': unable to get length of file `x'", [("", "x", "incbin")]),
    ("a.s:2: Error: can't open x.i for reading: No such file or directory",
     [("", "x.i", "include")]),
    ("a.s:1: Error: file not found: x", [("", "x", "incbin")]),
    ("a.s:1:10: error: Could not find include file 'x'", [("", "x", "include")]),
    ("a.s:1:9: error: Could not find incbin file 'x'", [("", "x", "incbin")]),
    ("sub/a.S:1:10: fatal error: 'x.h' file not found", [("sub/a.S", "x.h", "cpp")]),
    ("sub/a.S:1:10: fatal error: x.h: No such file or directory", [("sub/a.S", "x.h", "cpp")]),
    ("a.s:1: Error: no such instruction: `x'", []),
])
def test_what_an_assembler_says_it_misses(
    said: str, places: List[Tuple[str, str, str]]
) -> None:
    assert [(place.file, place.reference.name, place.reference.kind) for place in wanted(said)] \
        == places


def test_the_documentation_lists_every_form() -> None:
    """Each case is a row, with the assemblers that it runs on, and no row is without a case."""
    page = Path(__file__).parent.parent / "docs" / "includes.md"
    rows = [line for line in page.read_text("utf-8").splitlines() if line.startswith("| ")]
    listed = [row for row in rows if "`test_form[" in row]
    assert listed == [row_of(case) for case in CASES]


def row_of(case: Case) -> str:
    """Return the row of the documentation's table for a case."""
    tools = {"nasm": "NASM", "gas-x86": "GAS x86", "gas-arm64": "GAS arm64",
             "clang-x86": "clang x86", "clang-arm64": "clang arm64", "clang-macos": "clang macOS"}
    cells = ", ".join(tools[name.replace("cpp-", "")] for name in case.dialects)
    how = "asked" if case.asks else "read" if case.reads | case.extra else "no file"
    form = case.form.replace("|", "\\|")
    return f"| {form} | {cells} | {how} | `test_form[{case.name}-…]` |"
