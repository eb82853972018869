"""What the scanner says a source reads is never less than what strace saw the assembler open."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Mapping, Sequence, Tuple

import pytest

from crossasm.includes import DIALECTS, Closure, Tree, ask, closure
from include_cases import CASES, Case, commands
from strace import Traced, traced

_PATH = ("-Ione", "-Itwo")
_SUFFIX = {"nasm": ".asm"}


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
    def run(folder: Path) -> Tuple[int, str]:
        said = ""
        for line in lines:
            done = subprocess.run(line, cwd=folder, check=False, capture_output=True, text=True,
                                  errors="surrogateescape")
            said += done.stderr
            if done.returncode:
                return done.returncode, said
        return 0, said

    found = closure(DIALECTS[dialect], flags, (source, source), tree_of(top))
    if found.dynamic:
        found = ask(found, flags, (source, source), tree_of(top), run)
    return found


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
    return found, said, Traced(seen.status, seen.errors, seen.files - {source, "object.s"})


@pytest.mark.parametrize(
    ("case", "dialect"),
    [pytest.param(case, name, id=f"{case.name}-{name}") for case in CASES for name in case.dialects],
)
def test_form(case: Case, dialect: str, tmp_path: Path) -> None:
    found, said, seen = compare(tmp_path, dialect, (*_PATH, *case.flags), case.tree, case.text)
    assert (seen.status, seen.files) == (0, case.reads), seen.errors
    assert said == case.reads | case.extra
    assert (bool(found.dynamic), found.doubt) == (case.asks, ""), found.said
