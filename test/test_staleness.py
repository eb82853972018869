"""After a change to any file that the assembler reads, exactly what reads it is built again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, Tuple

import pytest

from tree import NASM_EXIT, TOML, Tree, clean_env

GAS_EXIT = """\
.globl _start
_start:
        mov     $60, %eax
        xor     %edi, %edi
        syscall
.section .note.GNU-stack, "", @progbits
"""
ARM_EXIT = """\
.globl _start
_start:
        mov     x8, #93
        svc     #0
"""
MACOS_EXIT = """\
.globl _main
_main:
        ret
"""
REST = {"other.asm": NASM_EXIT, "inc/keep": "", "late/keep": ""}
"""What every tree here has beside the files in question."""


def toml(target: str, source: str, more: str = "") -> str:
    return (f'{TOML}[assembly]\npath = ["inc", "late"]\n'
            f'[programs.a]\n{more}\nsources.{target} = ["{source}"]\n'
            f'[programs.other]\nsources.x86_64 = ["other.asm"]\n')


# Each case: the target, the source's name and text, the other files, and the file that changes.
NASM = {
    "include": ('%include "inc/a.inc"\n', "inc/a.inc", ""),
    "include on path": ('%include "a.inc"\n', "inc/a.inc", ""),
    "single quotes": ("%include 'a.inc'\n", "inc/a.inc", ""),
    "back quotes": ("%include `a.inc`\n", "inc/a.inc", ""),
    "upper case": ('%INCLUDE "a.inc"\n', "inc/a.inc", ""),
    "macro name": ('%define NAME "a.inc"\n%include NAME\n', "inc/a.inc", ""),
    "macro argument": ('%macro take 1\n%include %1\n%endmacro\ntake "a.inc"\n', "inc/a.inc", ""),
    "strcat": ('%strcat NAME "a", ".inc"\n%include NAME\n', "inc/a.inc", ""),
    "pathsearch": ('%pathsearch NAME "a.inc"\n%include NAME\n', "inc/a.inc", ""),
    "depend": ('%depend "inc/a.inc"\n', "inc/a.inc", ""),
    "incbin": ('incbin "a.inc"\n', "inc/a.inc", ""),
    "incbin after label": ('here: incbin "a.inc", 1, 2\n', "inc/a.inc", ""),
    "conditional": ('%ifdef NOT\n%else\n%include "a.inc"\n%endif\n', "inc/a.inc", ""),
    "pre-included": ("", "inc/a.inc", 'nasmflags = ["-p", "inc/a.inc"]'),
}
GAS = {
    "include": ('.include "a.inc"\n', "inc/a.inc", ""),
    "include in macro": ('.macro take\n.include "a.inc"\n.endm\ntake\n', "inc/a.inc", ""),
    "include argument": ('.macro take f\n.include "\\f"\n.endm\ntake a.inc\n', "inc/a.inc", ""),
    "incbin": ('.incbin "a.inc"\n', "inc/a.inc", ""),
    "incbin in macro": ('.macro take\n.incbin "a.inc"\n.endm\ntake\n', "inc/a.inc", ""),
    "after a label": ('here: .include "a.inc"\n', "inc/a.inc", ""),
}
CPP = {
    "#include": ('#include "a.inc"\n', "inc/a.inc", ""),
    "#include <>": ("#include <a.inc>\n", "inc/a.inc", ""),
    "#include macro": ('#define NAME "a.inc"\n#include NAME\n', "inc/a.inc", ""),
    ".include": ('.include "a.inc"\n', "inc/a.inc", ""),
    ".include macro": ('#define NAME "a.inc"\n.include NAME\n', "inc/a.inc", ""),
    ".incbin": ('.incbin "a.inc"\n', "inc/a.inc", ""),
}
FORMS: Dict[str, Tuple[str, str, str, str, str, str]] = {}
for form, case in NASM.items():
    FORMS[f"nasm {form}"] = ("x86_64", "a.asm", NASM_EXIT, *case)
for form, case in GAS.items():
    FORMS[f"gas {form}"] = ("x86_64", "a.s", GAS_EXIT, *case)
    FORMS[f"gas arm64 {form}"] = ("arm64_linux", "a.s", ARM_EXIT, *case)
    FORMS[f"clang macos {form}"] = ("arm64_macos", "a.s", MACOS_EXIT, *case)
    FORMS[f"clang x86 {form}"] = ("x86_64", "a.s", GAS_EXIT, *case[:2], 'assembler = "clang"')
for form, case in CPP.items():
    FORMS[f"gas .S {form}"] = ("x86_64", "a.S", GAS_EXIT, *case)
    FORMS[f"clang .S {form}"] = ("arm64_macos", "a.S", MACOS_EXIT, *case)

@pytest.mark.parametrize("form", FORMS)
def test_a_changed_file_rebuilds_its_reader_and_nothing_else(tree: Tree, form: str) -> None:
    target, source, start, line, included, more = FORMS[form]
    mark = ";" if source == "a.asm" else "//"
    tree.write({"crossasm.toml": toml(target, source, more), **REST,
                source: start + line, included: f"{mark} one\n"})
    first = tree.scons()
    assert first.status == 0, first.errors
    assert tree.scons().idle
    tree.write({included: f"{mark} two\n"})
    assert tree.scons().assembled == [f"build/{target}/{'obj-a' if more else 'obj'}/a.o"]
    assert tree.scons().idle


ON_PATH = [name for name, (_, _, _, line, included, more) in FORMS.items()
           if included not in line + more]


@pytest.mark.parametrize("form", ON_PATH)
def test_a_file_found_earlier_on_the_path_takes_over(tree: Tree, form: str) -> None:
    target, source, start, line, _, more = FORMS[form]
    mark = ";" if source == "a.asm" else "//"
    tree.write({"crossasm.toml": toml(target, source, more), **REST,
                source: start + line, "late/a.inc": f"{mark} one\n"})
    first = tree.scons()
    assert first.status == 0, first.errors
    tree.write({"inc/a.inc": f"{mark} two\n"})
    assert tree.scons().assembled == [f"build/{target}/{'obj-a' if more else 'obj'}/a.o"]
    assert tree.scons().idle


def test_a_file_included_sixteen_deep_is_tracked(tree: Tree) -> None:
    deep = {f"inc/{depth}.inc": f'%include "{depth + 1}.inc"\n' for depth in range(16)}
    tree.write({"crossasm.toml": toml("x86_64", "a.asm"), **REST,
                "a.asm": NASM_EXIT + '%include "0.inc"\n', **deep, "inc/16.inc": "; one\n"})
    assert tree.scons().status == 0
    tree.write({"inc/16.inc": "; two\n"})
    assert tree.scons().assembled == ["build/x86_64/obj/a.o"]


GENERATING = """\
DefaultEnvironment(tools=[])
env = Environment(tools=["crossasm"])
env.Command("gen/made.inc", "made.txt", Copy("$TARGET", "$SOURCE"))
env.Command("gen/nested.inc", "nested.txt", Copy("$TARGET", "$SOURCE"))
env.Append(ASPATH=["gen"])
env.AsmProgram("a", "{source}")
"""


@pytest.mark.parametrize(("source", "start", "mark", "include"), [
    ("a.asm", NASM_EXIT, ";", '%include "{}.inc"\n'),
    ("a.asm", NASM_EXIT, ";", '%define NAME "{}.inc"\n%include NAME\n'),
    ("a.s", GAS_EXIT, "//", '.include "{}.inc"\n'),
    ("a.S", GAS_EXIT, "//", '#include "{}.inc"\n'),
    ("a.S", GAS_EXIT, "//", '#define NAME "{}.inc"\n#include NAME\n#undef NAME\n'),
])
def test_a_generated_file_and_what_it_includes_come_first(
    tree_with: Callable[[str], Tree], source: str, start: str, mark: str, include: str,
) -> None:
    tree = tree_with(GENERATING.replace("{source}", source))
    tree.write({source: start + include.format("made"), "made.txt": include.format("nested"),
                "nested.txt": f"{mark} one\n"})
    first = tree.scons("a")
    assert first.status == 0, first.output + first.errors
    assert "is up to date" in tree.scons("a").output
    tree.write({"nested.txt": f"{mark} two\n"})
    assert "-o a.o" in tree.scons("a").output
    assert "is up to date" in tree.scons("a").output


def test_a_generated_file_whose_includes_change_is_followed(
    tree_with: Callable[[str], Tree],
) -> None:
    tree = tree_with(GENERATING.replace("{source}", "a.asm"))
    tree.write({"a.asm": NASM_EXIT + '%include "made.inc"\n', "made.txt": "; nothing\n",
                "nested.txt": "; one\n"})
    assert tree.scons("a").status == 0
    tree.write({"made.txt": '%include "nested.inc"\n'})
    assert tree.scons("a").status == 0
    tree.write({"nested.txt": "; two\n"})
    assert "-o a.o" in tree.scons("a").output


def test_an_upgraded_assembler_rebuilds_what_it_made(tree: Tree, tmp_path: Path) -> None:
    wrapper = tmp_path / "nasm"
    tree.write({"crossasm.toml": toml("x86_64", "a.asm")
                + f'[targets.x86_64]\nnasm = "{wrapper}"\n',
                "a.asm": NASM_EXIT, **REST,
                "nasm": '#!/bin/sh\nexec nasm "$@"\n'})
    wrapper.chmod(0o755)
    assert tree.scons().status == 0
    assert tree.scons().idle
    tree.write({"nasm": '#!/bin/sh\n# upgraded\nexec nasm "$@"\n'})
    assert len(tree.scons().assembled) == 2


DYNAMIC_NASM = """\
# An assembler whose work another file does: it loads a library, then becomes the real one.
.intel_syntax noprefix
.globl _start
_start: mov rdi, [rip + version@GOTPCREL]
        lea rdi, [rip + nasm]
        lea rsi, [rsp + 8]
        mov rax, [rsp]
        lea rdx, [rsp + rax*8 + 16]
        mov eax, 59
        syscall
nasm:   .asciz "{nasm}"
.section .note.GNU-stack, "", @progbits
"""


def make(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, timeout=60)


def make_library(folder: Path, version: str) -> None:
    (folder / "version.s").write_text(f'.globl version\n.data\nversion: .asciz "{version}"\n',
                                      "utf-8")
    make(folder, "as", "--64", "-o", "version.o", "version.s")
    make(folder, "ld", "-shared", "-o", "libversion.so", "version.o")


def test_an_upgraded_library_of_an_assembler_rebuilds_too(tree: Tree, tmp_path: Path) -> None:
    """clang's own file is a stub of a few pages: what it does lies in libraries."""
    nasm = shutil.which("nasm")
    (tmp_path / "nasm.s").write_text(DYNAMIC_NASM.format(nasm=nasm), "utf-8")
    make_library(tmp_path, "1")
    make(tmp_path, "as", "--64", "-o", "nasm.o", "nasm.s")
    make(tmp_path, "ld", "-dynamic-linker", "/lib64/ld-linux-x86-64.so.2", "-rpath", str(tmp_path),
         "-o", "nasm", "nasm.o", "libversion.so")
    tree.write({"crossasm.toml": toml("x86_64", "a.asm")
                + f'[targets.x86_64]\nnasm = "{tmp_path}/nasm"\n', "a.asm": NASM_EXIT, **REST})
    first = tree.scons()
    assert first.status == 0, first.errors
    assert tree.scons().idle
    make_library(tmp_path, "1.0.1")
    assert len(tree.scons().assembled) == 2


def test_a_killed_build_leaves_no_object_that_passes_for_another(tree: Tree) -> None:
    """SCons writes its records at the end: a kill leaves a new object under an old record."""
    before = NASM_EXIT + "%include 'n.inc'\n"
    tree.write({"crossasm.toml": toml("x86_64", "a.asm"), "a.asm": before, **REST,
                "inc/n.inc": "dd 1\n"})
    assert tree.scons().status == 0
    right = tree.read("build/x86_64/obj/a.o")
    tree.write({"inc/n.inc": "dd 2\n"})
    records = tree.read(".sconsign.dblite")
    assert tree.scons().status == 0
    (tree.root / ".sconsign.dblite").write_bytes(records)
    tree.write({"inc/n.inc": "dd 1\n"})
    assert tree.scons().status == 0
    assert tree.read("build/x86_64/obj/a.o") == right


@pytest.mark.parametrize(("source", "start", "more"), [
    ("a.asm", NASM_EXIT, ""), ("a.s", GAS_EXIT, ""), ("a.S", GAS_EXIT, ""),
    ("a.s", GAS_EXIT, 'assembler = "clang"'),
])
def test_another_folder_rebuilds_nothing(
    tree: Tree, source: str, start: str, more: str,
) -> None:
    tree.write({"crossasm.toml": toml("x86_64", source, f"debug = true\n{more}"), **REST,
                source: start})
    assert tree.scons().status == 0
    tree.root = tree.root.rename(tree.root.with_name(f"{tree.root.name} moved"))
    assert tree.scons().idle


STALLING = """\
#!/bin/sh
# An assembler that is caught half way while the file `stall` is there.
if [ -e stall ]; then
    for word; do [ "$last" = -o ] && out=$word; last=$word; done
    printf half > "$out"
    echo reached > fifo
    exec sleep 60
fi
exec nasm "$@"
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_leaves_no_half_object_that_passes(
    tree: Tree, number: signal.Signals,
) -> None:
    tree.write({"crossasm.toml": toml("x86_64", "a.asm")
                + '[targets.x86_64]\nnasm = "./nasm-stalling"\n',
                "a.asm": NASM_EXIT, **REST, "nasm-stalling": STALLING})
    (tree.root / "nasm-stalling").chmod(0o755)
    os.mkfifo(tree.root / "fifo")
    assert tree.scons().status == 0
    right = tree.read("build/x86_64/obj/a.o")

    tree.write({"a.asm": NASM_EXIT + "nop\n", "stall": ""})
    with subprocess.Popen([sys.executable, "-m", "SCons", "-Q"], cwd=tree.root, env=clean_env(),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          start_new_session=True) as scons:
        assert (tree.root / "fifo").read_text("utf-8") == "reached\n"
        os.killpg(scons.pid, number)
        assert scons.wait(30) != 0
    assert tree.read("build/x86_64/obj/a.o") == b"half"

    tree.write({"a.asm": NASM_EXIT})
    (tree.root / "stall").unlink()
    assert tree.scons().status == 0
    assert tree.read("build/x86_64/obj/a.o") == right
    assert tree.scons().idle


@pytest.mark.parametrize("jobs", ["-j1", "-j8"])
def test_the_bytes_do_not_depend_on_jobs_folder_or_umask(
    tree: Tree, tmp_path: Path, jobs: str,
) -> None:
    files = {"crossasm.toml": toml("x86_64", "a.s"), "a.s": GAS_EXIT + '.include "inc/a.inc"\n',
             **REST, "inc/a.inc": ".long 1\n"}
    other = Tree(tmp_path / "another folder")
    products = []
    for here, mask in ((tree, 0o022), (other, 0o077)):
        here.write(files)
        old = os.umask(mask)
        try:
            assert here.scons(jobs).status == 0
        finally:
            os.umask(old)
        products.append({path.relative_to(here.root): path.read_bytes()
                         for path in (here.root / "build").rglob("*") if path.is_file()})
    assert products[0] == products[1]
    assert len(products[0]) == 6
