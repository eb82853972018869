"""A project's folder to write faulty files into, and what is said of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List, Union

import pytest

from crossasm.config import load
from crossasm.errors import CrossasmError

__all__ = ["ARM", "HEAD", "PROGRAM", "faults", "lines_of", "make_project"]

HEAD = '[project]\nname = "hello"\nversion = "0.1.0"\n'
PROGRAM = '[programs.hello]\nsources.x86_64 = ["src/hello.asm"]\n'
ARM = '[programs.hello]\nsources.arm64_macos = ["src/hello.s"]\n'
FILES = ("src/hello.asm", "src/hello.s", "src/HELLO.S", "src/x86_64/hello.asm", "src/notes.txt",
         "src/plain", "-o.asm", "@o.asm", "lib/x86_32/abi.inc")


def make_project(folder: Path) -> Path:
    """Return a new project's folder below `folder`; another folder lies beside it."""
    project = folder / "project"
    for name in FILES:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    (folder / "outside").mkdir()
    (folder / "outside/hello.asm").touch()
    (project / "src/linked.asm").symlink_to("../../outside/hello.asm")
    (project / "src/loop.asm").symlink_to("loop.asm")
    (project / "away").symlink_to("../outside")
    os.mkfifo(project / "src/pipe.asm")
    return project


def faults(content: Union[str, bytes]) -> List[str]:
    """Return what is said of a file with this content, less the name that begins each line."""
    Path("crossasm.toml").write_bytes(content.encode() if isinstance(content, str) else content)
    return lines_of("crossasm.toml")


def lines_of(name: str) -> List[str]:
    """Return what is said of the file, less the name that begins each line."""
    with pytest.raises(CrossasmError) as caught:
        load(Path(name))
    assert all(line.startswith(f"{name}: ") for line in caught.value.lines)
    assert str(caught.value) == "\n".join(caught.value.lines)
    return [line[len(f"{name}: "):] for line in caught.value.lines]
