"""A small project in a folder of its own: files in, what a real `scons` said about them out."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Optional

REPOSITORY = Path(__file__).resolve().parent.parent
TOOL = REPOSITORY / "site_scons" / "site_tools" / "crossasm"

SCONSTRUCT = """\
DefaultEnvironment(tools=[])
env = Environment(tools=["crossasm"])
env.CrossAsmMain("crossasm.toml")
"""

TOML = """\
[project]
name = "sample"
version = "1.0"

"""

NASM_EXIT = """\
global _start
_start:
        mov     eax, 60
        xor     edi, edi
        syscall
"""


@dataclass(frozen=True)
class Said:
    """What a run of `scons` said and how it ended."""

    status: int
    output: str
    errors: str

    @property
    def assembled(self) -> List[str]:
        """The objects that were made, in order, as the short build lines name them."""
        words = (line.split() for line in self.output.splitlines())
        return [line[-1] for line in words
                if len(line) == 2 and line[0] in ("NASM", "GAS", "CLANG")]

    @property
    def idle(self) -> bool:
        """Whether nothing was to be done."""
        return self.status == 0 and self.output == "scons: `build' is up to date.\n"


class Tree:
    """A folder with an SConstruct that loads the tool from this checkout."""

    def __init__(self, root: Path, sconstruct: str = SCONSTRUCT) -> None:
        self.root = root
        tools = root / "site_scons" / "site_tools"
        tools.mkdir(parents=True)
        (tools / "crossasm").symlink_to(TOOL)
        self.write({"SConstruct": sconstruct})

    def write(self, files: Mapping[str, str]) -> None:
        """Write files, by their paths below the folder, making folders as needed."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def scons(self, *args: str, env: Optional[Mapping[str, str]] = None) -> Said:
        """Run scons with `args`; `env` adds to the environment."""
        done = subprocess.run(
            [sys.executable, "-m", "SCons", "-Q", *args], cwd=self.root, env=clean_env(env),
            capture_output=True, text=True, timeout=120, check=False)
        return Said(done.returncode, done.stdout, done.stderr)

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()


def clean_env(more: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """Return this process's environment without what would steer scons or an assembler."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("SCONSFLAGS", "NASMENV", "SOURCE_DATE_EPOCH")}
    return {**kept, **(more or {})}


def project_files() -> List[str]:
    """Return the files of the project, also those not committed yet."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
                            cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if (REPOSITORY / name).is_file()]
