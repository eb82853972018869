"""AsmObject, AsmLibrary and AsmProgram in an SConstruct, and the settings of a TOML file."""

from __future__ import annotations

import shutil
import subprocess
from typing import Callable

import pytest

from crossasm.targets import TARGETS
from tree import NASM_EXIT, TOML, Tree

OWN = """\
DefaultEnvironment(tools=[])
env = Environment(tools=[("crossasm", {{"target": "{target}"}})])
{body}
"""
Maker = Callable[[str], Tree]


def own(tree_with: Maker, body: str, target: str = "x86_64", **files: str) -> Tree:
    tree = tree_with(OWN.format(target=target, body=body))
    tree.write({name.replace("_dot_", "."): text for name, text in files.items()})
    return tree


def said_by(program: str, *args: str) -> str:
    path = shutil.which(program)
    assert path is not None, program
    return subprocess.run([path, *args], capture_output=True, text=True, check=True).stdout


GAS_FUNCTION = '.globl helper\nhelper: ret\n.section .note.GNU-stack, "", @progbits\n'
CPP_FUNCTION = ("#define NAME other\n.globl NAME\nNAME: ret\n"
                '.section .note.GNU-stack, "", @progbits\n')
CALLER = """\
extern helper, other
global _start
_start: call helper
        call other
        mov eax, 60
        mov edi, CODE
        syscall
"""


@pytest.mark.parametrize("assembler", ["gas", "clang"])
def test_one_program_mixes_assemblers(tree_with: Maker, assembler: str) -> None:
    tree = own(tree_with, 'env.AsmProgram("a", ["a.asm", "b.s", "c.S"], ASSEMBLER="'
               + assembler + '", ASDEFINES={"CODE": 7})',
               a_dot_asm=CALLER, b_dot_s=GAS_FUNCTION, c_dot_S=CPP_FUNCTION)
    said = tree.scons("a")
    assert said.status == 0, said.errors
    assert subprocess.run([tree.root / "a"], check=False).returncode == 7


@pytest.mark.parametrize("defines", [
    '{"CODE": 7}', '["CODE=7"]', '[("CODE", 7)]', '"CODE=7"', '["$WORD=7"]'])
@pytest.mark.parametrize("source", ["a.asm", "a.s", "a.S"])
def test_defines_take_every_form_that_scons_users_write(
    tree_with: Maker, defines: str, source: str,
) -> None:
    code = {"a.asm": "global here\nhere: mov edi, CODE\n", "a.s": "movl $CODE, %edi\n",
            "a.S": "movl $CODE, %edi\n"}[source]
    tree = own(tree_with, f'env.AsmObject("{source}", ASDEFINES={defines}, WORD="CODE")')
    tree.write({source: code})
    said = tree.scons("a.o")
    assert said.status == 0, said.errors
    assert "$0x7,%edi" in said_by("objdump", "-d", str(tree.root / "a.o"))


@pytest.mark.parametrize("target", TARGETS)
def test_a_library_is_indexed_and_the_same_every_time(tree_with: Maker, target: str) -> None:
    tree = own(tree_with, 'env.AsmLibrary("both", ["one.s", "two.s"])', target,
               one_dot_s=".globl one\none: ret\n", two_dot_s=".globl two\ntwo: ret\n")
    said = tree.scons("libboth.a")
    assert said.status == 0, said.errors
    first = tree.read("libboth.a")
    names = said_by("nm", "--print-armap", str(tree.root / "libboth.a")) \
        if TARGETS[target].format == "elf" else first.decode("latin-1")
    assert "one" in names
    assert "two" in names
    (tree.root / "libboth.a").unlink()
    assert tree.scons("libboth.a").status == 0
    assert tree.read("libboth.a") == first


def test_flags_given_to_one_call_do_not_reach_another(tree_with: Maker) -> None:
    tree = own(tree_with, 'env.AsmObject("a.asm", NASMFLAGS=["-O0"])\nenv.AsmObject("b.asm")',
               a_dot_asm="hlt\n", b_dot_asm="hlt\n")
    lines = tree.scons(".").output.splitlines()
    assert [("-O0" in line) for line in lines] == [True, False]


def test_a_changed_flag_rebuilds(tree_with: Maker) -> None:
    tree = own(tree_with, 'env.AsmObject("a.asm", ASFLAGS=ARGUMENTS.get("FLAGS", ""))',
               a_dot_asm="hlt\n")
    assert "-o a.o" in tree.scons("a.o").output
    assert "-O0 -o a.o" in tree.scons("a.o", "FLAGS=-O0").output


@pytest.mark.parametrize(("setting", "shown"), [
    ('AS="./mine"', "./mine -f elf64 -o a.o a.asm"),
    ('NASM="./mine"', "./mine -f elf64 -o a.o a.asm"),
    ('ASCOM="./mine -f elf64 -o $TARGET $SOURCE -g"', "./mine -f elf64 -o a.o a.asm -g"),
])
@pytest.mark.parametrize("place", ["call", "environment"])
def test_another_assembler_or_command_line_can_be_set(
    tree_with: Maker, setting: str, shown: str, place: str,
) -> None:
    body = (f'env.AsmObject("a.asm", {setting})' if place == "call"
            else f'env.Replace({setting})\nenv.AsmObject("a.asm")')
    tree = own(tree_with, body, a_dot_asm="hlt\n", mine='#!/bin/sh\nexec nasm "$@"\n')
    (tree.root / "mine").chmod(0o755)
    assert tree.scons("a.o").output.splitlines() == [shown]


def test_another_linker_and_its_flags_can_be_set(tree_with: Maker) -> None:
    tree = own(tree_with, 'env.AsmProgram("a", "a.asm", LINK="./mine", LINKFLAGS=["-n"])',
               a_dot_asm=NASM_EXIT, mine='#!/bin/sh\nexec ld "$@"\n')
    (tree.root / "mine").chmod(0o755)
    last = tree.scons("a").output.splitlines()[-1]
    assert last.startswith("./mine -m elf_x86_64 ")
    assert last.endswith(" -n -o a a.o")


@pytest.mark.parametrize("source", ["a.asm", "a.s", "a.S"])
@pytest.mark.parametrize("assembler", ["gas", "clang"])
def test_debug_information_names_the_source(
    tree_with: Maker, source: str, assembler: str,
) -> None:
    text = NASM_EXIT if source == "a.asm" else ".globl _start\n_start: hlt\n"
    tree = own(tree_with, f'env.AsmProgram("a", "{source}", ASDEBUG=True, ASSEMBLER="{assembler}")')
    tree.write({source: text})
    said = tree.scons("a")
    assert said.status == 0, said.errors
    lines = said_by("objdump", "--dwarf=decodedline", str(tree.root / "a"))
    assert source in lines
    if source != "a.asm":  # NASM has no option against it
        assert str(tree.root).encode() not in tree.read("a")


def test_a_stock_environment_keeps_what_is_its_own(tree_with: Maker) -> None:
    tree = tree_with("""\
env = Environment(CFLAGS=["-O1"], LINKFLAGS=["-Wl,-z,now"], ASFLAGS=["-g"])
plain = env.Clone()
env.Tool("crossasm")
for name in ("AS", "ASFLAGS", "ASCOM", "ASPPCOM", "LINK", "LINKFLAGS", "LINKCOM", "CC", "CCCOM",
             "OBJSUFFIX", "SHLINKCOM", "AR", "ARCOM"):
    print(name, repr(plain.get(name)) == repr(env.get(name)))
env.Program("app", ["main.c", env.AsmObject("seven.asm")])
""")
    tree.write({"main.c": "int seven(void); int main(void) { return seven(); }\n",
                "seven.asm": "global seven\nseven: mov eax, 7\n ret\n"
                             "section .note.GNU-stack noalloc noexec nowrite progbits\n"})
    said = tree.scons("app")
    assert said.status == 0, said.errors
    assert "False" not in said.output
    assert subprocess.run([tree.root / "app"], check=False).returncode == 7


def test_one_environment_can_be_cloned_for_another_target(tree_with: Maker) -> None:
    tree = own(tree_with, """\
arm = env.Clone()
arm.Tool("crossasm", target="aarch64")
env.AsmProgram("x86", "x.s")
arm.AsmProgram("arm", "a.s")
""", x_dot_s=".globl _start\n_start: hlt\n", a_dot_s=".globl _start\n_start: svc #0\n")
    assert tree.scons(".").status == 0
    assert tree.read("x86")[18] == TARGETS["x86_64"].machine
    assert tree.read("arm")[18] == TARGETS["arm64_linux"].machine


@pytest.mark.parametrize(("body", "line"), [
    ('env.AsmObject("a.c")', "a.c: x86_64 has no assembler for '.c'; it takes .asm, .s, .S"),
    ('env["ENV"]["NASMENV"] = "-g"\nenv.AsmObject("a.asm")',
     ("NASMENV in ENV changes what an assembler reads, unseen by the build; "
      "take it out and use ASPATH or flags")),
    ('env["ENV"]["CPATH"] = "inc"\nenv.AsmObject("a.asm")',
     ("CPATH in ENV changes what an assembler reads, unseen by the build; "
      "take it out and use ASPATH or flags")),
    ('SetOption("implicit_cache", 1)\nenv.AsmObject("a.asm")',
     ("--implicit-cache: would miss a file that turns up earlier on the include path; "
      "leave it out")),
    ('env.AsmObject("a.asm", ASSEMBLER="clagn")',
     "ASSEMBLER=clagn: no such assembler; did you mean 'clang'?"),
    ('env.AsmCheck("a", ASMAXSIZE="10 KiB")',
     "ASMAXSIZE='10 KiB': takes a number of bytes, for example 10 * 1024"),
    ('env.AsmCheck("a", ASMAXSIZE=0)',
     "ASMAXSIZE=0: takes a number of bytes, for example 10 * 1024"),
    ('Environment(tools=[("crossasm", {"targt": "x86_64"})])',
     "crossasm targt=x86_64: no such option; did you mean 'target'?"),
    ('env["TOOLS"].append("ninja")\nenv.AsmObject("a.asm")',
     ("the ninja tool does not see what assembly includes and would keep stale objects; "
      "build with scons itself")),
    ('Environment(tools=[("crossasm", {"target": "x86_46"})])',
     "crossasm target=x86_46: 'x86_46' is no target; did you mean 'x86_64'?"),
])
def test_a_wrong_use_is_told_in_a_line(tree_with: Maker, body: str, line: str) -> None:
    tree = own(tree_with, body, a_dot_asm="hlt\n", a_dot_c="")
    said = tree.scons(".")
    assert said.status == 2
    assert f"scons: *** {line}\n" in said.errors
    assert "Traceback" not in said.errors


def test_a_name_that_nothing_can_tell_fails_the_build_until_it_is_declared(
    tree_with: Maker,
) -> None:
    """An include from an absolute folder, by a name that a macro makes, cannot be asked for."""
    tree = own(tree_with, """\
depends = ["inc/a.inc"] if "declare" in ARGUMENTS else []
env.AsmObject("a.asm", ASFLAGS=["-I%s/inc/" % Dir("#").abspath], ASDEPENDS=depends)
""", a_dot_asm='%define NAME "a.inc"\n%include NAME\n')
    tree.write({"inc/a.inc": "; one\n"})
    said = tree.scons("a.o")
    assert said.status == 2
    assert said.errors.startswith("a.asm:2: cannot tell which file is read here: ")
    assert "name each file that it may be in 'depends' (ASDEPENDS)" in said.errors
    assert not (tree.root / "a.o").exists()
    assert tree.scons("a.o", "declare=1").status == 0
    tree.write({"inc/a.inc": "; two\n"})
    assert "-o a.o" in tree.scons("a.o", "declare=1").output


def test_settings_of_a_toml_file_reach_the_assembler(tree: Tree) -> None:
    tree.write({"crossasm.toml": TOML + """\
[assembly]
defines.ONE = 1
[targets.x86_64]
defines.TWO = 2
nasmflags = ["-O0"]
[programs.a]
sources.x86_64 = ["a.asm"]
defines.THREE = 3
linkflags = ["-n"]
[programs.a.targets.x86_64]
defines.FOUR = 4
""", "a.asm": NASM_EXIT + "dd ONE, TWO, THREE, FOUR\n"})
    said = tree.scons("V=1")
    assert said.status == 0, said.errors
    assemble, link = said.output.splitlines()[:2]
    assert " -DONE=1 -DTWO=2 -DTHREE=3 -DFOUR=4 -O0 -o build/x86_64/obj-a/a.o a.asm" in assemble
    assert " -n -o build/x86_64/a " in link
