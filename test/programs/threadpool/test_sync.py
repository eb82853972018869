"""The lock and the condition of `threadpool`, under threads that come at the worst moments.

The program under test here is ``sync_<target>.asm`` beside this file, around the same ``sync.inc``.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from crossasm.targets import TARGETS
from crossasm.toolchain import find_toolchain
from programs.harness import ROOT, RUNNERS
from programs.threadpool.cases import Case

ROUNDS = 3
SECONDS = 20


def test_no_wake_up_is_lost_and_no_two_hold_the_lock(tmp_path: Path, case: Case) -> None:
    target, runner = case
    program = build(target, tmp_path)
    for _ in range(ROUNDS):
        done = subprocess.run([*RUNNERS[target][runner], program], timeout=SECONDS, check=False)
        assert done.returncode == 0


def build(target: str, folder: Path) -> str:
    """Assemble and link the program with the target's own tools; return its path."""
    row, tools = TARGETS[target], find_toolchain(TARGETS[target]).tools
    source = f"test/programs/threadpool/sync_{target}.asm"
    done, made = folder / "sync.o", folder / "sync"
    include = ["-I", f"src/{target}/", "-I", "src/common/"]
    for line in (
        [tools["nasm"], *row.nasm_flags, *include, "-o", str(done), source],
        [tools["ld"], *row.link_flags, "-o", str(made), str(done)],
    ):
        subprocess.run(line, cwd=ROOT, check=True)
    return str(made)
