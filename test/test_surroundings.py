"""The same promises where users live: SConscripts, variants, repositories, caches, odd names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Callable

import pytest

from tree import NASM_EXIT, SCONSTRUCT, TOML, Tree

OWN = """\
DefaultEnvironment(tools=[])
env = Environment(tools=["crossasm"])
"""
Maker = Callable[[str], Tree]
UP_TO_DATE = "is up to date"


def nasm(folder: Path, *args: str) -> bytes:
    """Return the object that NASM itself makes."""
    subprocess.run(["nasm", "-f", "elf64", *args, "-o", "expected.o"], cwd=folder, check=True)
    return (folder / "expected.o").read_bytes()


def test_a_sconscript_below_leaves_the_records_whole(tree_with: Maker) -> None:
    tree = tree_with(OWN + 'env.Command("y.txt", "x.txt", Copy("$TARGET", "$SOURCE"))\n'
                     'Export("env")\nSConscript("sub/SConscript")\n')
    tree.write({"x.txt": "", "sub/SConscript": 'Import("env")\nenv.AsmObject("a.asm")\n',
                "sub/a.asm": "hlt\n"})
    assert tree.scons(".").status == 0
    assert tree.scons(".").output == "scons: `.' is up to date.\n"
    assert not (tree.root / "sub/.sconsign.dblite").exists()


def test_include_folders_are_relative_to_the_sconscript(tree_with: Maker) -> None:
    tree = tree_with(OWN + 'Export("env")\nSConscript("sub/SConscript")\n')
    tree.write({"sub/SConscript": 'Import("env")\nenv.AsmObject("a.asm", ASPATH=["inc"])\n',
                "sub/a.asm": '%include "v.inc"\n', "sub/inc/v.inc": "db 1\n",
                "inc/v.inc": "db 2\n"})
    said = tree.scons("sub/a.o")
    assert said.status == 0, said.errors
    assert tree.read("sub/a.o") == nasm(tree.root, "-Isub/inc/", "sub/a.asm")
    tree.write({"sub/inc/v.inc": "db 3\n"})
    assert "-o sub/a.o" in tree.scons("sub/a.o").output


@pytest.mark.parametrize("duplicate", [0, 1])
def test_many_preprocessed_sources_in_a_variant_folder(tree_with: Maker, duplicate: int) -> None:
    tree = tree_with(OWN + f"""\
Export("env")
SConscript("src/SConscript", variant_dir="out", duplicate={duplicate})
""")
    names = [f"m{number}" for number in range(6)]
    tree.write({"src/SConscript": 'Import("env")\nenv.AsmObject(Glob("*.S"))\n',
                "src/v.h": "nop\n", **{f"src/{name}.S": '#include "v.h"\n' for name in names}})
    for _ in range(3):
        said = tree.scons("-j4", ".")
        assert said.status == 0, said.errors
        assert tree.scons(".").output == "scons: `.' is up to date.\n"
        with (tree.root / "src/v.h").open("a", encoding="utf-8") as header:
            header.write("nop\n")


def test_an_include_removed_from_a_variant_is_gone_at_once(tree_with: Maker) -> None:
    tree = tree_with(OWN + 'Export("env")\nSConscript("src/SConscript", variant_dir="out")\n')
    tree.write({"src/SConscript": 'Import("env")\nenv.AsmObject("m.S")\n', "src/v.h": "nop\n",
                "src/m.S": '#include "v.h"\n'})
    assert tree.scons(".").status == 0
    (tree.root / "src/v.h").unlink()
    tree.write({"src/m.S": "nop\n"})
    said = tree.scons(".")
    assert said.status == 0, said.errors


def test_the_name_of_an_include_counts_as_its_content_does(tree_with: Maker) -> None:
    tree = tree_with(OWN + 'env.AsmObject("m.S")\n')
    tree.write({"a.h": "", "m.S": '#if __has_include("a.h")\n.long 1\n'
                                  '#elif __has_include("b.h")\n.long 2\n#endif\n'})
    assert tree.scons("m.o").status == 0
    first = tree.read("m.o")
    (tree.root / "a.h").rename(tree.root / "b.h")
    assert tree.scons("m.o").status == 0
    assert tree.read("m.o") != first


@pytest.mark.parametrize("value", [
    "1<<2", "(1+2)", "'hi'", '"hi"', "1&2", "`1`", "1;2", ">f", "$", "$$5", "$FOO", "a b", "\\",
    "*",
])
def test_a_define_reaches_the_assembler_as_it_is_written(tree: Tree, value: str) -> None:
    literal = value.replace("\\", "\\\\").replace('"', '\\"')
    text = "global _start\n_start: nop\n%defstr TEXT X\ndb TEXT\n"
    tree.write({"crossasm.toml": TOML + '[programs.a]\nsources.x86_64 = ["a.asm"]\n'
                f'defines.X = "{literal}"\n', "a.asm": text})
    said = tree.scons()
    assert said.status == 0, said.errors
    assert tree.read("build/x86_64/obj-a/a.o") == nasm(tree.root, f"-DX={value}", "a.asm")
    assert not (tree.root / "f").exists()


@pytest.mark.parametrize("folder", ["it's", "R&D", "a(b", "a;b", "a`b", 'a"b', "a b", "a$b", "#a"])
def test_a_project_may_lie_in_any_folder(tmp_path: Path, folder: str) -> None:
    tree = Tree(tmp_path / folder)
    tree.write({"crossasm.toml": TOML + '[programs.a]\ndebug = true\n'
                'sources.x86_64 = ["a.asm", "b.s", "c.S"]\n', "a.asm": NASM_EXIT,
                "b.s": "nop\n", "c.S": "nop\n"})
    for args in ([], ["asm_audit=1"]):
        said = tree.scons(*args)
        assert said.status == 0, said.errors
    assert tree.scons().idle


@pytest.mark.parametrize("name", ["it's.asm", "a;b.asm", "a&b.asm", "a`b.asm", "a b.asm", "#a.asm",
                                  "a(b.asm", "é.asm", "a'b.S", "#a.s"])
def test_a_source_may_have_any_name(tree: Tree, name: str) -> None:
    text = NASM_EXIT if name.endswith(".asm") else ".globl _start\n_start: hlt\n"
    tree.write({"crossasm.toml": f'{TOML}[programs.a]\nsources.x86_64 = ["{name}"]\n', name: text})
    for args in ([], ["asm_audit=1"]):
        said = tree.scons(*args)
        assert said.status == 0, said.errors
    assert tree.scons().idle


@pytest.mark.parametrize("include", ["#v.inc", "it's.inc", "é.inc", "a b.inc"])
def test_an_include_may_have_any_name(tree_with: Maker, include: str) -> None:
    tree = tree_with(OWN + 'env.AsmObject("a.asm")\n')
    (tree.root / "a.asm").write_bytes(b"; caf\xe9\n" + f'%include "{include}"\n'.encode())
    tree.write({include: "db 1\n"})
    assert tree.scons("a.o").status == 0
    tree.write({include: "db 2\n"})
    assert "-o a.o" in tree.scons("a.o").output


@pytest.mark.parametrize("flag", ["-Iinc", "-iinc/", "-Iinc/"])
def test_an_include_folder_given_as_a_flag_is_searched(tree_with: Maker, flag: str) -> None:
    tree = tree_with(OWN + f'env.AsmObject("a.asm", NASMFLAGS=["{flag}"])\n')
    tree.write({"a.asm": '%include "v.inc"\n', "inc/v.inc": "db 1\n"})
    assert tree.scons("a.o").status == 0
    tree.write({"inc/v.inc": "db 2\n"})
    assert "-o a.o" in tree.scons("a.o").output


def test_a_linker_script_is_tracked(tree: Tree) -> None:
    script = "SECTIONS {{ . = {address}; .text : {{ *(.text) }} }}\n"
    tree.write({"crossasm.toml": TOML + '[programs.a]\nsources.x86_64 = ["a.asm"]\n'
                'linkflags = ["-T", "link.ld"]\n', "a.asm": NASM_EXIT,
                "link.ld": script.format(address="0x400000")})
    assert tree.scons().status == 0
    tree.write({"link.ld": script.format(address="0x500000")})
    assert "LINK   build/x86_64/a\n" in tree.scons().output


@pytest.mark.parametrize("flags", ['"-Map=a.map"', '"-Map", "a.map"'])
def test_a_file_that_the_linker_writes_is_no_source(tree: Tree, flags: str) -> None:
    tree.write({"crossasm.toml": TOML + '[programs.a]\nsources.x86_64 = ["a.asm"]\n'
                f"linkflags = [{flags}]\n", "a.asm": NASM_EXIT})
    assert tree.scons().status == 0
    assert (tree.root / "a.map").exists()
    assert tree.scons().idle


def test_a_repositorys_file_does_not_hide_the_one_that_is_read(
    tree_with: Maker, tmp_path: Path,
) -> None:
    tree = tree_with(f'Repository("{tmp_path}/repo")\n' + OWN
                     + 'env.AsmObject("a.asm", ASPATH=["inc"])\n')
    tree.write({"repo/f.inc": "db 1\n", "inc/f.inc": "db 2\n", "a.asm": '%include "f.inc"\n'})
    assert tree.scons("a.o").status == 0
    tree.write({"inc/f.inc": "db 3\n"})
    assert "-o a.o" in tree.scons("a.o").output


def test_a_source_that_only_the_repository_has_is_followed(
    tree_with: Maker, tmp_path: Path,
) -> None:
    tree = tree_with(f'Repository("{tmp_path}/repo")\n' + OWN + 'env.AsmObject("src/a.S")\n')
    tree.write({"repo/src/a.S": '#include "f.h"\n', "repo/src/f.h": ".long 1\n"})
    said = tree.scons("src/a.o")
    assert said.status == 0, said.errors
    tree.write({"repo/src/f.h": ".long 2\n"})
    assert "-o src/a.o" in tree.scons("src/a.o").output


def test_dots_after_a_link_lead_where_the_kernel_goes(tree_with: Maker) -> None:
    tree = tree_with(OWN + 'env.AsmObject("a.asm")\n')
    tree.write({"other/place/keep": "", "other/x.inc": "db 1\n", "x.inc": "db 2\n",
                "a.asm": '%include "lnk/../x.inc"\n'})
    (tree.root / "lnk").symlink_to("other/place")
    assert tree.scons("a.o").status == 0
    tree.write({"other/x.inc": "db 3\n"})
    assert "-o a.o" in tree.scons("a.o").output


EDITING = """\
#!/bin/sh
# An assembler beside which somebody saves a file, once.
if [ -e edit ]; then mv edit f.inc; fi
exec {nasm} "$@"
"""


def test_an_edit_while_the_assembler_runs_is_told_and_not_kept(tree_with: Maker) -> None:
    tree = tree_with(OWN + 'CacheDir("cache")\nenv.AsmObject("a.asm", NASM="./nasm-editing")\n')
    tree.write({"a.asm": '%include "f.inc"\n', "f.inc": "db 1\n", "edit": "db 2\n",
                "nasm-editing": EDITING.format(nasm=shutil.which("nasm"))})
    (tree.root / "nasm-editing").chmod(0o755)
    said = tree.scons("a.o")
    assert said.status == 2
    assert said.errors.startswith("f.inc: changed while a.asm was assembled; build again\n")
    tree.write({"f.inc": "db 1\n"})
    assert tree.scons("a.o").status == 0
    assert tree.read("a.o") == nasm(tree.root, "a.asm")


def test_a_cache_serves_two_checkouts_and_never_the_audit(tmp_path: Path) -> None:
    cached = SCONSTRUCT + f'CacheDir("{tmp_path}/cache")\n'
    files = {"crossasm.toml": TOML + '[programs.a]\nsources.x86_64 = ["a.asm"]\n',
             "a.asm": NASM_EXIT + '%include "f.inc"\n', "f.inc": "db 1\n"}
    one, two = Tree(tmp_path / "one", cached), Tree(tmp_path / "two", cached)
    for tree in (one, two):
        tree.write(files)
    assert one.scons().assembled == ["build/x86_64/obj/a.o"]
    assert two.scons().assembled == []
    two.write({"f.inc": "db 2\n"})
    assert two.scons().assembled == ["build/x86_64/obj/a.o"]
    assert one.read("build/x86_64/obj/a.o") == nasm(one.root, "a.asm")
    assert two.read("build/x86_64/obj/a.o") == nasm(two.root, "a.asm")
    assert one.scons("asm_audit=1").assembled == ["build/x86_64/obj/a.o"]


def test_a_tool_of_the_projects_own_is_tracked(tree_with: Maker) -> None:
    tree = tree_with(OWN + 'env.AsmObject("a.asm", NASM="tools/nasm")\n'
                     'env.AsmObject("c.S", AS="tools/as")\n'
                     'env.AsmObject("d.asm", ASCOM="tools/other -f elf64 -o $TARGET $SOURCE")\n')
    made = {"nasm": "a.o", "as": "c.o", "other": "d.o"}
    for name, real in (("nasm", "nasm"), ("as", "as"), ("other", "nasm")):
        tree.write({f"tools/{name}": f'#!/bin/sh\nexec {shutil.which(real)} "$@"\n'})
        (tree.root / "tools" / name).chmod(0o755)
    tree.write({"a.asm": '%define N "f.inc"\n%include N\n', "f.inc": "db 1\n", "c.S": "nop\n",
                "d.asm": "hlt\n"})
    assert tree.scons(*made.values()).status == 0
    for name, product in made.items():
        with (tree.root / "tools" / name).open("a", encoding="utf-8") as tool:
            tool.write("# upgraded\n")
        assert f"-o {product}" in tree.scons(*made.values()).output


def test_a_file_that_changes_under_its_old_time_is_noticed(tree: Tree) -> None:
    """Files unpacked with clamped times are older than SCons cares to look at again."""
    tree.write({"crossasm.toml": TOML + '[programs.a]\nsources.x86_64 = ["a.asm"]\n',
                "a.asm": NASM_EXIT + "db 1\n"})
    long_ago = (10 ** 9, 10 ** 9)
    os.utime(tree.root / "a.asm", long_ago)
    assert tree.scons().status == 0
    tree.write({"a.asm": NASM_EXIT + "db 2\n"})
    os.utime(tree.root / "a.asm", long_ago)
    assert tree.scons().assembled == ["build/x86_64/obj/a.o"]


@pytest.mark.parametrize(("body", "line"), [
    ('env.AsmObject("a.asm", "b.asm")',
     "a.asm: an object must not be named as a source is; name several sources in a list"),
    ('env.Clone(tools=[("crossasm", {"target": "x86_64,x86_32"})])',
     "crossasm target=x86_64,x86_32: takes one target; use a clone of the environment for each"),
])
def test_what_would_overwrite_or_mislead_is_refused(
    tree_with: Maker, body: str, line: str,
) -> None:
    tree = tree_with(f"{OWN}{body}\n")
    tree.write({"a.asm": "hlt\n", "b.asm": "hlt\n"})
    said = tree.scons(".")
    assert said.status == 2
    assert f"scons: *** {line}\n" in said.errors
    assert tree.read("a.asm") == b"hlt\n"
