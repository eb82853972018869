"""The linters, as tests: ruff and mypy over the Python, shellcheck over the shell scripts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOL = "site_scons/site_tools/crossasm"


def complaints(command: List[str]) -> str:
    """Run a linter in the project; return what it says when it finds fault, else nothing."""
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return said.stdout if said.returncode else ""


def shell_scripts() -> List[str]:
    found = [path for folder in ("", ".ci", "bench", "test") for path in (ROOT / folder).glob("*")
             if path.is_file() and path.read_bytes()[:2] == b"#!"
             and b"sh" in path.read_bytes().split(b"\n", 1)[0]]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def test_ruff() -> None:
    assert complaints([sys.executable, "-m", "ruff", "check", "."]) == ""


def test_mypy_of_the_tool() -> None:
    assert complaints([sys.executable, "-m", "mypy", "--strict", TOOL]) == ""


def test_mypy_of_the_tests() -> None:
    assert complaints([sys.executable, "-m", "mypy", "--strict", "test"]) == ""


def test_shellcheck() -> None:
    program = shutil.which("shellcheck")
    if not program:
        pytest.skip("shellcheck is not installed")
    assert {".ci/run", "sconsw"} <= set(shell_scripts())
    assert complaints([program, *shell_scripts()]) == ""
