"""Sizes that are none, and flags that the tool has to set itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from config_faults import HEAD, PROGRAM, faults, make_project

SIZE = 'write bytes or a binary unit, for example "10 KiB"'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, the working directory."""
    monkeypatch.chdir(make_project(tmp_path))
    return Path.cwd()


SIZES = tuple(
    (f"{HEAD}{PROGRAM}max_size = {written}\n", f"programs.hello.max_size: {said}; {SIZE}")
    for written, said in (
        ('"10 KB"', "'10 KB' is no size"), ('"1 MB"', "'1 MB' is no size"),
        ('"10 kib"', "'10 kib' is no size"), ('"10  KiB"', "'10  KiB' is no size"),
        ('"ten"', "'ten' is no size"), ('""', "'' is no size"), ('"-1"', "'-1' is no size"),
        ('"1.5 KiB"', "'1.5 KiB' is no size"), ('"0 KiB"', "'0 KiB' is no size"),
        ('"\\u0663"', "'\u0663' is no size"), ("0", "0 is no size"), ("-1", "-1 is no size"),
        ("1.5", "1.5 is no size"), ("inf", "inf is no size"), ("true", "true is no size"),
        ("[]", "is an array"), ("{}", "is a table"), ("1979-05-27", "1979-05-27 is no size"),
        ("0x1" + "0" * 5000, f"0x1{'0' * 57}... is no size"),
    ))
SIZES_OF_ONE_TARGET = (
    (HEAD + PROGRAM + '[programs.hello.targets.x86_64]\nmax_size = "1 GB"\n',
     f"programs.hello.targets.x86_64.max_size: '1 GB' is no size; {SIZE}"),
)

OURS = "is set by the tool; remove it"
USE_PATH = "is not for flags; write the folder under the key 'path'"
USE_DEFINES = "is not for flags; write the name under the key 'defines'"
READS = "is set by the tool, which finds by itself what a source reads; remove it"
RESPONSE = "names a file of flags, which the tool does not read; write the flags here"
INCLUDE = "is not for flags; write an #include in the source"

REFUSED = tuple(
    (f'{HEAD}{PROGRAM}{key} = ["{flag}"]\n', f"programs.hello.{key}: '{flag}' {said}")
    for key, flags, said in (
        ("asflags", ("-o", "-ox.o", "-felf64"), OURS),
        ("asflags", ("-I", "-Isrc", "-isrc"), USE_PATH),
        ("asflags", ("-DA=1", "--defsym"), USE_DEFINES),
        ("asflags", ("-MD", "--MD"), READS),
        ("asflags", ("@flags",), RESPONSE),
        ("nasmflags", ("-o", "-f", "-felf32", "-E", "-e"), OURS),
        ("nasmflags", ("-Isrc", "-i"), USE_PATH),
        ("nasmflags", ("-DA", "-dA"), USE_DEFINES),
        ("nasmflags", ("-M", "-MD"), READS),
        ("nasmflags", ("-@",), RESPONSE),
        ("gasflags", ("-o",), OURS),
        ("gasflags", ("-Isrc",), USE_PATH),
        ("gasflags", ("-D", "--defsym"), USE_DEFINES),
        ("gasflags", ("--MD", "-M"), READS),
        ("gasflags", ("@flags",), RESPONSE),
        ("clangflags", ("-o", "-c", "-E", "-S", "-target", "--target=x"), OURS),
        ("clangflags", ("-Isrc", "-isystem", "-iquote", "-idirafter", "-Wa,--noexecstack,-Isrc"),
         USE_PATH),
        ("clangflags", ("-include", "-imacros"), INCLUDE),
        ("clangflags", ("-DA", "-Wa,--defsym,A=1"), USE_DEFINES),
        ("clangflags", ("-MD", "-MF"), READS),
        ("clangflags", ("@flags",), RESPONSE),
        ("linkflags", ("-o", "-ox", "--output=x", "-m", "-melf_i386", "-e", "--entry=x",
                       "--threads=4"), OURS),
        ("linkflags", ("@flags",), RESPONSE),
    ) for flag in flags)

CASES = (*SIZES, *SIZES_OF_ONE_TARGET, *REFUSED)


@pytest.mark.parametrize(("content", "line"), CASES, ids=[line[:70] for _, line in CASES])
def test_each_fault_is_one_line(folder: Path, content: str, line: str) -> None:
    assert faults(content) == [line]
