"""What every test may use: a project in a folder of its own, and this repository's own build."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Callable

import pytest

from linked import Workshop
from tree import REPOSITORY, Tree, clean_env, project_files


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A project folder that loads the tool; the test writes its files."""
    return Tree(tmp_path)


@pytest.fixture
def tree_with(tmp_path: Path) -> Callable[[str], Tree]:
    """A maker of a project folder with another SConstruct."""
    return partial(Tree, tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """A folder in which programs are assembled and linked by hand, right or wrong."""
    return Workshop(tmp_path)


@pytest.fixture(scope="session")
def built_programs() -> Path:
    """The folder `build` of this repository, every program of it up to date."""
    done = subprocess.run([sys.executable, "-m", "SCons", "-Q"], cwd=REPOSITORY, env=clean_env(),
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return REPOSITORY / "build"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project whose `./sconsw` finds everything set up."""
    for name in project_files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    python = shlex.quote(sys.executable)
    scripts = {"sconsw": f'exec {python} -m SCons -Q "$@"',
               ".venv/bin/python": f'exec {python} "$@"'}
    for name, text in scripts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    return tmp_path
