"""The command line: arguments, aliases, help, lines and table, and each error in one line."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import List, Optional

import pytest

from crossasm.targets import TARGETS
from tree import NASM_EXIT, TOML, Tree, clean_env

TWO = TOML + """\
[programs.a]
summary = "ends at once"
max_size = "8 KiB"
sources.x86_32 = ["a.asm"]
sources.x86_64 = ["a.asm"]

[programs.b]
sources.x86_64 = ["b.asm"]
"""


@pytest.fixture
def two(tree: Tree) -> Tree:
    tree.write({"crossasm.toml": TWO, "a.asm": "global _start\n_start: hlt\n", "b.asm": NASM_EXIT})
    return tree


def test_builds_all_targets_with_short_lines_and_a_table(two: Tree) -> None:
    said = two.scons()
    assert said.status == 0
    assert said.errors == ""
    lines, _, table = said.output.partition("program")
    table = f"program{table}"
    assert lines == """\
NASM   build/x86_32/obj/a.o
LINK   build/x86_32/a
CHECK  build/x86_32/a
NASM   build/x86_64/obj/a.o
LINK   build/x86_64/a
CHECK  build/x86_64/a
NASM   build/x86_64/obj/b.o
LINK   build/x86_64/b
CHECK  build/x86_64/b

"""
    assert table.splitlines()[0] == "program  target   size  budget  used"
    assert [line.split() for line in table.splitlines()[1:]] == [
        ["a", "x86_32", size(two, "x86_32/a"), "8,192", share(two, "x86_32/a"), "%"],
        ["a", "x86_64", size(two, "x86_64/a"), "8,192", share(two, "x86_64/a"), "%"],
        ["b", "x86_64", size(two, "x86_64/b"), "-"],
    ]


def size(tree: Tree, program: str) -> str:
    return f"{len(tree.read(f'build/{program}')):,}"


def share(tree: Tree, program: str) -> str:
    return str(100 * len(tree.read(f"build/{program}")) // 8192)


def test_says_that_nothing_is_to_be_done(two: Tree) -> None:
    two.scons()
    assert two.scons().output == "scons: `build' is up to date.\n"


@pytest.mark.parametrize("arch", ["x86_32", "i386", "i686", "i686-linux-gnu", "I386"])
def test_arch_touches_no_other_target(two: Tree, arch: str) -> None:
    assert two.scons(f"arch={arch}").status == 0
    assert [path.name for path in (two.root / "build").iterdir()] == ["x86_32"]


def test_arch_takes_several(two: Tree) -> None:
    assert two.scons("arch=x86_64,x86_32").status == 0
    assert sorted(path.name for path in (two.root / "build").iterdir()) == ["x86_32", "x86_64"]


@pytest.mark.parametrize(("args", "line"), [
    (["arch=arm46"], "arch=arm46: 'arm46' is no target; did you mean 'arm64'?"),
    (["arch=x86_64,"], None),
    (["acrh=x86_64"], "acrh=x86_64: no such argument; did you mean 'arch'?"),
    (["V=2"], "V=2: takes 0 or 1"),
    (["arch=x86_32", "arch=x86_64"],
     "arch=x86_64: given more than once; put commas between targets"),
    (["arch=zzz"], ("arch=zzz: 'zzz' is no target; "
                    "known: x86_32, x86_64, arm64_linux, arm64_macos")),
    (["asm_audit=yes"], "asm_audit=yes: takes 0 or 1"),
    (["biuld"], "biuld: no such alias or file; did you mean 'build'?"),
    (["build-x86_46"], "build-x86_46: no such alias or file; did you mean 'build-x86_64'?"),
    (["build/x86_64/c"], None),
    (["--implicit-cache"],
     "--implicit-cache: would miss a file that turns up earlier on the include path; leave it out"),
])
def test_a_wrong_word_is_one_line_and_status_2(
    two: Tree, args: List[str], line: Optional[str],
) -> None:
    said = two.scons(*args)
    assert said.status == 2
    assert said.output == ""
    assert len(said.errors.splitlines()) == 1
    assert said.errors.startswith("crossasm: ")
    if line:
        assert said.errors == f"crossasm: {line}\n"


def test_an_alias_per_target_and_program(two: Tree) -> None:
    assert two.scons("build-x86_32").assembled == ["build/x86_32/obj/a.o"]
    assert two.scons("build-b").assembled == ["build/x86_64/obj/b.o"]
    assert two.scons("build/x86_64/a").assembled == ["build/x86_64/obj/a.o"]


def test_whole_command_lines_on_request(two: Tree) -> None:
    lines = two.scons("V=1", "build-b").output.splitlines()
    assert lines[0].endswith("nasm -f elf64 -o build/x86_64/obj/b.o b.asm")
    assert lines[1].endswith("-o build/x86_64/b build/x86_64/obj/b.o")


def test_counts_the_steps_on_a_terminal(two: Tree) -> None:
    said = on_a_terminal(two)
    assert "[1/9] NASM   build/x86_32/obj/a.o" in said
    assert "[9/9] CHECK  build/x86_64/b" in said
    (two.root / "b.asm").write_text(NASM_EXIT + "nop\n", "utf-8")
    assert "[7/9] NASM   build/x86_64/obj/b.o" in on_a_terminal(two)


def on_a_terminal(tree: Tree) -> str:
    leader, follower = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "SCons", "-Q"], cwd=tree.root, env=clean_env(),
                          stdin=subprocess.DEVNULL, stdout=follower, stderr=follower) as scons:
        os.close(follower)
        said = b""
        try:
            while chunk := os.read(leader, 4096):
                said += chunk
        except OSError:  # the terminal's way to say that its other side has closed
            pass
        assert scons.wait(60) == 0
    os.close(leader)
    return said.decode()


def test_diagnostics_reach_the_user_untouched(two: Tree) -> None:
    two.write({"b.asm": "nonsense here\n"})
    said = two.scons("build-b")
    assert said.status == 2
    assert "b.asm:1: error: parser: instruction expected\n" in said.errors
    assert "program  target" not in said.output


def test_help_lists_everything_and_builds_nothing(two: Tree) -> None:
    said = two.scons("--help")
    assert said.status == 0
    assert "  a  ends at once (x86_32, x86_64)\n" in said.output
    for name, row in TARGETS.items():
        assert f"  {name}\n    also called: {', '.join(row.aliases)}\n" in said.output
    assert "nasm   2." in said.output
    assert not (two.root / "build").exists()


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A PATH with nothing on it."""
    folder = tmp_path / "bare"
    folder.mkdir()
    return str(folder)


def test_help_works_with_no_toolchain(two: Tree, bare_path: str) -> None:
    said = two.scons("--help", env={"PATH": bare_path})
    assert said.status == 0
    assert "    nasm   not found: nasm\n" in said.output
    assert "    gas    not found: aarch64-linux-gnu-as\n" in said.output


def test_missing_tools_are_one_error_with_how_to_install_them(two: Tree, bare_path: str) -> None:
    said = two.scons(env={"PATH": bare_path})
    assert said.status == 2
    assert said.errors == """\
crossasm: not found: nasm (for x86_32, x86_64); ld (for x86_32, x86_64); install with one of:
crossasm:   apt-get install binutils nasm
crossasm:   dnf install binutils nasm
crossasm:   pacman -S binutils nasm
crossasm:   brew install binutils nasm
"""


def test_only_the_targets_asked_for_need_their_tools(two: Tree, bare_path: str) -> None:
    two.write({"crossasm.toml": TWO + 'sources.arm64_linux = ["b.s"]\n', "b.s": "\n"})
    said = two.scons("arch=arm64_linux", env={"PATH": bare_path})
    assert "nasm" not in said.errors
    assert "aarch64-linux-gnu-as (for arm64_linux)" in said.errors


def test_cleaning_needs_no_toolchain(two: Tree, bare_path: str) -> None:
    two.scons()
    assert two.scons("-c", env={"PATH": bare_path}).status == 0
    assert [path for path in (two.root / "build").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("target", ["build", "build/x86_64/a"])
def test_a_program_over_its_budget_fails_however_it_is_asked_for(two: Tree, target: str) -> None:
    two.write({"crossasm.toml": TWO.replace("8 KiB", "1 KiB")})
    said = two.scons("arch=x86_64", target)
    assert said.status == 2
    assert "over max_size of 1,024: make a smaller, or raise its max_size\n" in said.errors
    assert not (two.root / "build/x86_64/check/a.json").exists()


def test_a_weak_symbol_that_nobody_defines_fails_though_the_program_is_stripped(two: Tree) -> None:
    two.write({"crossasm.toml": TOML + '[programs.w]\nsources.x86_64 = ["w.s", "v.s"]\n',
               "w.s": ".globl _start\n.weak gone, there\n_start: call gone\ncall there\n",
               "v.s": ".globl there\nthere: ret\n"})
    said = two.scons()
    assert said.status == 2
    assert said.errors.splitlines()[0] == (
        "build/x86_64/w: the weak symbol gone is defined nowhere, so its address is 0: "
        "define it, or do not name it")


def test_the_check_tells_what_a_program_is(two: Tree) -> None:
    two.scons("build-b")
    facts = json.loads(two.read("build/x86_64/check/b.json"))
    assert (facts["program"], facts["target"], facts["faults"]) == ("b", "x86_64", [])
    assert facts["size"] == len(two.read("build/x86_64/b"))
    assert facts["entry"] > 0
    assert "r-x" in [segment["rights"] for segment in facts["segments"]]


def test_faults_of_the_toml_are_lines_and_status_2(two: Tree) -> None:
    two.write({"crossasm.toml": TWO.replace("summary", "sumary").replace("8 KiB", "8 KB")})
    said = two.scons()
    assert said.status == 2
    assert said.output == ""
    assert [line.split(": ")[:3] for line in said.errors.splitlines()] == [
        ["crossasm", "crossasm.toml", "programs.a.sumary"],
        ["crossasm", "crossasm.toml", "programs.a.max_size"],
    ]


def test_audit_passes_where_all_is_tracked_and_leaves_no_trace(two: Tree) -> None:
    two.write({"b.asm": NASM_EXIT + '%include "b.inc"\n', "b.inc": "; nothing\n"})
    assert two.scons().status == 0
    said = two.scons("asm_audit=1")
    assert said.status == 0, said.errors
    assert len(said.assembled) == 3
    assert list((two.root / "build").rglob("*.strace")) == []
    assert two.scons().idle


def test_audit_fails_on_a_file_that_is_not_tracked(two: Tree) -> None:
    """An assembler of one's own may read what no scan of the source can tell."""
    two.write({
        "crossasm.toml": TWO + f'[targets.x86_64]\nnasm = "{two.root}/wrapped"\n',
        "wrapped": '#!/bin/sh\ncat secret.txt > /dev/null\nexec nasm "$@"\n', "secret.txt": ""})
    (two.root / "wrapped").chmod(0o755)
    assert two.scons().status == 0
    said = two.scons("asm_audit=1", "arch=x86_64", "build-b")
    assert said.status == 2
    assert ("b.asm: reads secret.txt, which the build does not track; name it in 'depends', "
            "and please report this\n") in said.errors
    assert not (two.root / "build/x86_64/obj/b.o").exists()


def test_audit_sees_what_the_preprocessor_reads(two: Tree) -> None:
    two.write({
        "crossasm.toml": TOML + f"""[programs.c]\nsources.x86_64 = ["c.S"]
[targets.x86_64]\ncpp = "{two.root}/wrapped"\n""",
        "c.S": ".globl _start\n_start: hlt\n", "secret.txt": "",
        "wrapped": '#!/bin/sh\ncat secret.txt > read.txt\nexec clang "$@"\n'})
    (two.root / "wrapped").chmod(0o755)
    said = two.scons("asm_audit=1")
    assert said.status == 2
    assert "c.S: reads secret.txt, which the build does not track" in said.errors


def test_an_audit_that_failed_is_no_witness_later(two: Tree) -> None:
    two.write({"b.asm": '%include "b.inc"\nnonsense here\n', "b.inc": "; read\n"})
    assert two.scons("asm_audit=1").status == 2
    two.write({"b.asm": NASM_EXIT})
    said = two.scons()
    assert (said.status, said.errors) == (0, "")


def test_audit_without_strace_is_an_error(two: Tree, bare_path: str) -> None:
    for tool in ("nasm", "ld"):
        (Path(bare_path) / tool).symlink_to(f"/usr/bin/{tool}")
    said = two.scons("asm_audit=1", env={"PATH": bare_path})
    assert said.status == 2
    assert said.errors == ("crossasm: asm_audit=1: needs strace, which is not on PATH; "
                           "install the package strace, or leave asm_audit out\n")


def test_audit_of_this_project_finds_nothing_untracked(checkout: Path) -> None:
    """Every assembler of every program here is watched while it works."""
    done = subprocess.run([sys.executable, "-m", "SCons", "-Q", "asm_audit=1"], cwd=checkout,
                          env=clean_env(), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    objects = [line for line in done.stdout.splitlines() if line.startswith(("NASM", "GAS", "CLA"))]
    assert len(objects) == len(list((checkout / "build").glob("*/obj/**/*.o"))) > 0
