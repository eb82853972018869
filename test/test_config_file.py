"""The file itself, absent, unreadable or no TOML; and sample projects, named for their faults."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Union

import pytest

from config_faults import HEAD, PROGRAM, faults, lines_of, make_project
from crossasm.config import load
from crossasm.errors import CrossasmError

PROJECTS = Path(__file__).resolve().parent / "projects"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, the working directory."""
    monkeypatch.chdir(make_project(tmp_path))
    return Path.cwd()


NOT_TOML = (
    ("[project\n", "line 1, column 9: expected ']' at the end of a table declaration"),
    ("[project]\nname = \n", "line 2, column 8: invalid value"),
    ("a = [1,\n", "line 2, column 1: invalid value at the end of the file"),
    ('a = """x', "line 1, column 9: unterminated string at the end of the file"),
    ("a = '\x07'", r"line 1, column 6: found invalid character '\x07'"),
    (HEAD + PROGRAM + PROGRAM,
     "line 6, column 16: the table [programs.hello] is declared twice; rename one or join them"),
    ('[programs."a\\nb"]\n[programs."a\\nb"]\n',
     'line 2, column 17: the table [programs."a\\nb"] is declared twice; rename one or join them'),
    ("a = 1\na = 2\n", "line 2, column 6: the key was given before; remove one of the two"),
    ("a = {b=1,b=2}\n", "line 1, column 13: the key was given before; remove one of the two"),
    (b"a = 1\nb = '\xff'\n", "line 2: byte 0xff is not UTF-8; save the file as UTF-8"),
    (b"\xef\xbb\xbfa = 1\n", "begins with a byte order mark; save the file as UTF-8 without it"),
)


@pytest.mark.parametrize(("content", "line"), NOT_TOML, ids=[line for _, line in NOT_TOML])
def test_what_is_no_toml_is_told_by_line_and_column(
        folder: Path, content: Union[str, bytes], line: str) -> None:
    assert faults(content) == [line]


def test_numbers_and_nesting_that_python_refuses_are_told(folder: Path) -> None:
    (digits,), (nested,) = faults("a = " + "1" * 5000), faults("a = " + "[" * 5000)
    assert digits.startswith("is beyond what can be read (Exceeds the limit (4300")
    assert digits.endswith("); shorten it")
    assert nested == ("is beyond what can be read (TOML inline arrays/tables are nested more than "
                      "the allowed 400 levels); shorten it")


def test_an_absent_file_is_told_with_its_neighbour(folder: Path) -> None:
    assert lines_of("crossasm.toml") == ["does not exist; create it, or start where it is"]
    Path("crosasm.toml").touch()
    assert lines_of("crossasm.toml") == ["does not exist; did you mean 'crosasm.toml'?"]
    assert lines_of("none/crossasm.toml") == ["does not exist; create it, or start where it is"]


def test_what_is_no_file_is_told(folder: Path) -> None:
    Path("loop.toml").symlink_to("loop.toml")
    assert lines_of("src") == ["is a folder; name the TOML file in it"]
    assert lines_of("src/pipe.asm") == ["is no regular file; name a TOML file"]
    assert lines_of("loop.toml") == [
        "cannot be read (Too many levels of symbolic links); make it a file that you may read"]
    assert lines_of("x" * 300) == [
        "cannot be read (File name too long); make it a file that you may read"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_file_that_cannot_be_read_is_told(folder: Path) -> None:
    assert lines_of("/proc/self/mem") == [
        "cannot be read (Input/output error); make it a file that you may read"]


def test_the_files_name_is_told_on_one_line(folder: Path) -> None:
    with pytest.raises(CrossasmError) as caught:
        load(Path("a\nb\udc80.toml"))
    assert list(caught.value.lines) == [
        r"a\nb\udc80.toml: does not exist; create it, or start where it is"]


def test_a_missing_tomli_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tomli", None)
    assert faults(HEAD + PROGRAM) == [
        ("cannot be read without the Python package tomli; install it: "
         "python3 -m pip install tomli")]


SAMPLES = sorted(path.parent.name for path in PROJECTS.glob("*/faults.txt"))


def test_there_are_samples() -> None:
    assert {"many-faults", "misspelled-key", "missing-source", "not-toml"} <= set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_the_faults_that_lie_beside_it(
        name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECTS / name)
    said = "".join(f"crossasm.toml: {line}\n" for line in lines_of("crossasm.toml"))
    assert said == Path("faults.txt").read_text(encoding="utf-8")
