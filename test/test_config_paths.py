"""The files and folders that crossasm.toml names: absent, outside, or of no use."""

from __future__ import annotations

from pathlib import Path

import pytest

from config_faults import HEAD, PROGRAM, faults, make_project

LINK = "by a symbolic link; put what it leads to into the project's folder"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, the working directory."""
    monkeypatch.chdir(make_project(tmp_path))
    return Path.cwd()


SOURCES = tuple(
    (f"{HEAD}[programs.hello]\nsources.{target} = [{written}]\n",
     f"programs.hello.sources.{target}: {said}")
    for target, written, said in (
        ("x86_64", '"src/helo.asm"', "'src/helo.asm' does not exist; did you mean 'hello.asm'?"),
        ("x86_64", '"scr/hello.asm"', "'scr/hello.asm' does not exist; did you mean 'src'?"),
        ("x86_64", '"src/zzzzzzz.q"', ("'src/zzzzzzz.q' does not exist; create it, "
                                       "or correct the path")),
        ("x86_64", '"src/hello.asm/x.s"', ("'src/hello.asm/x.s' does not exist; create it, "
                                           "or correct the path")),
        ("x86_64", '"src/loop.asm"', ("'src/loop.asm' is a symbolic link that leads nowhere; "
                                      "mend it")),
        ("x86_64", '"src/x86_64"', "'src/x86_64' is a folder; name the files in it"),
        ("x86_64", '"."', "'.' is a folder; name the files in it"),
        ("x86_64", '"src/pipe.asm"', "'src/pipe.asm' is no regular file; name a source"),
        ("x86_64", '""', 'is empty; write for example sources.x86_64 = ["src/x86_64/hello.asm"]'),
        ("x86_64", '"src\\\\hello.asm"', (r"'src\\hello.asm' holds a backslash; "
                                         "write '/' between folders")),
        ("x86_64", '"src/$x.asm"', ("'src/$x.asm' holds '$', which SCons takes for a variable; "
                                    "rename it")),
        ("x86_64", '"src/\\u0000.asm"', ("'src/\\x00.asm' holds the control character U+0000; "
                                         "remove it")),
        ("x86_64", '"/etc/hello.asm"', ("'/etc/hello.asm' is outside the project; put it into the "
                                        "project's folder")),
        ("x86_64", '"../outside/hello.asm"', ("'../outside/hello.asm' is outside the project; "
                                              "put it into the project's folder")),
        ("x86_64", '"src/../src/hello.asm"', ("'src/../src/hello.asm' takes a roundabout way; "
                                              "write 'src/hello.asm'")),
        ("x86_64", '"src/linked.asm"', f"'src/linked.asm' is outside the project, {LINK}"),
        ("x86_64", '"away/hello.asm"', f"'away/hello.asm' is outside the project, {LINK}"),
        ("arm64_linux", '"src/hello.asm"', ("'src/hello.asm': arm64_linux has no assembler for the "
                                            "suffix '.asm'; it takes .S, .s")),
        ("x86_64", '"src/notes.txt"', ("'src/notes.txt': x86_64 has no assembler for the suffix "
                                       "'.txt'; it takes .S, .asm, .s")),
        ("x86_64", '"src/plain"', ("'src/plain': x86_64 has no assembler for the suffix ''; "
                                   "it takes .S, .asm, .s")),
        ("x86_64", '"-o.asm"', ("'-o.asm' begins with '-', which an assembler takes for a flag; "
                                "rename it, or put it into a folder")),
        ("x86_64", '"@o.asm"', ("'@o.asm' begins with '@', which an assembler takes for a flag; "
                                "rename it, or put it into a folder")),
        ("x86_64", '"src/hello.asm", "./src/hello.asm"', ("'src/hello.asm' is named twice; "
                                                          "remove one")),
        ("x86_64", '"src/hello.asm", "src/hello.s"',
         ("'src/hello.s' and 'src/hello.asm' would both become build/x86_64/obj/hello.o; "
          "rename one")),
        ("x86_64", '"src/hello.asm", "src/x86_64/hello.asm"',
         ("'src/x86_64/hello.asm' and 'src/hello.asm' would both become build/x86_64/obj/hello.o; "
          "rename one")),
        ("x86_64", '"src/hello.asm", "src/HELLO.S"',
         ("'src/HELLO.S' and 'src/hello.asm' would both become build/x86_64/obj/HELLO.o; "
          "rename one")),
        ("x86_64", f'"{"x" * 300}.asm"', (f"'{'x' * 60}...' does not exist; create it, "
                                          "or correct the path")),
    ))

CLASHES = (
    (HEAD + PROGRAM + '[programs.other]\nsources.x86_64 = ["src/hello.s"]\n',
     ("programs.other.sources.x86_64: 'src/hello.s' and 'src/hello.asm' of programs.hello would "
      "both become build/x86_64/obj/hello.o; rename one")),
    (HEAD + PROGRAM.replace('asm"]', 'asm", "src/hello.s"]') + "debug = true\n",
     ("programs.hello.sources.x86_64: 'src/hello.s' and 'src/hello.asm' would both become "
      "build/x86_64/obj-hello/hello.o; rename one")),
)

FOLDERS = tuple(
    (f"{HEAD}{PROGRAM}{key} = [{written}]\n", f"programs.hello.{key}: {said}")
    for key, written, said in (
        ("path", '"scr"', "'scr' does not exist; did you mean 'src'?"),
        ("path", '"zzz"', "'zzz' does not exist; create it, or correct the path"),
        ("path", '"src/hello.s"', "'src/hello.s' is a file; name the folder that it is in"),
        ("path", '"scr/{target}"', "'scr/{target}' exists for no target; did you mean 'src'?"),
        ("path", '"src/{arch}"', ("'src/{arch}' holds the unknown placeholder '{arch}'; "
                                  "write {target} for the target's name")),
        ("path", '"/usr/include"', ("'/usr/include' is outside the project; put it into the "
                                    "project's folder")),
        ("path", '".."', "'..' is outside the project; put it into the project's folder"),
        ("path", '"away"', f"'away' is outside the project, {LINK}"),
        ("depends", '"src"', "'src' is a folder; name the files in it that are read"),
        ("depends", '"../x"', "'../x' is outside the project; put it into the project's folder"),
        ("depends", '"away/later.bin"', f"'away/later.bin' is outside the project, {LINK}"),
    ))

FOLDERS_OF_ONE_TARGET = (
    (HEAD + PROGRAM + '[targets.x86_64]\npath = ["lib/{target}"]\n',
     "targets.x86_64.path: 'lib/{target}' exists for no target; create it, or correct the path"),
    (HEAD + PROGRAM + '[programs.hello.targets.x86_64]\npath = ["lib/{target}"]\n',
     ("programs.hello.targets.x86_64.path: 'lib/{target}' exists for no target; create it, "
      "or correct the path")),
)

CASES = (*SOURCES, *CLASHES, *FOLDERS, *FOLDERS_OF_ONE_TARGET)


@pytest.mark.parametrize(("content", "line"), CASES, ids=[line[:70] for _, line in CASES])
def test_each_fault_is_one_line(folder: Path, content: str, line: str) -> None:
    assert faults(content) == [line]
