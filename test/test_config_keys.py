"""The keys of crossasm.toml: unknown, of the wrong type, missing, or with a name that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from config_faults import ARM, HEAD, PROGRAM, faults, make_project

SETTINGS = ("asflags, assembler, clangflags, debug, defines, depends, gasflags, linkflags, "
            "nasmflags, path")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, the working directory."""
    monkeypatch.chdir(make_project(tmp_path))
    return Path.cwd()


UNKNOWN_KEYS = (
    (HEAD + PROGRAM + "[program.x]\n", "program: unknown key; did you mean 'programs'?"),
    (HEAD + PROGRAM + "[package]\n",
     "package: unknown key; known: assembly, programs, project, targets"),
    (HEAD + 'licence = "MIT"\n' + PROGRAM, "project.licence: unknown key; did you mean 'license'?"),
    (HEAD + '"a b" = 1\n' + PROGRAM,
     'project."a b": unknown key; known: license, name, version'),
    (HEAD + "[assembly]\nmax_size = 1\n" + PROGRAM,
     f"assembly.max_size: unknown key; known: {SETTINGS}"),
    (HEAD + "[assembly]\nnasm_flags = []\n" + PROGRAM,
     "assembly.nasm_flags: unknown key; did you mean 'nasmflags'?"),
    (HEAD + PROGRAM + '[targets.x86_64]\nprefixes = [""]\n',
     "targets.x86_64.prefixes: unknown key; did you mean 'prefix'?"),
    (HEAD + PROGRAM + 'source = "x"\n',
     "programs.hello.source: unknown key; did you mean 'sources'?"),
    (HEAD + PROGRAM + "[programs.hello.targets.x86_64]\nmaxsize = 1\n",
     "programs.hello.targets.x86_64.maxsize: unknown key; did you mean 'max_size'?"),
    (HEAD + PROGRAM + "[programs.hello.smoke]\n",
     ("programs.hello.smoke: unknown key; known: asflags, assembler, clangflags, debug, defines, "
      "depends, gasflags, linkflags, max_size, nasmflags, path, sources, summary, targets")),
)

WRONG_TYPES = (
    ("project = 1\n" + PROGRAM, "project: 1 is an integer; write a table, for example [project]"),
    ("[[project]]\n" + PROGRAM, "project: is an array; write a table, for example [project]"),
    ('[project]\nname = 7\nversion = "1"\n' + PROGRAM,
     'project.name: 7 is an integer; write a string, for example name = "hello"'),
    ('[project]\nname = "a"\nversion = 1.0\n' + PROGRAM,
     'project.version: 1.0 is a float; write a string, for example version = "0.1.0"'),
    (HEAD + "license = {}\n" + PROGRAM,
     'project.license: is a table; write a string, for example license = "MIT"'),
    ("assembly = true\n" + HEAD + PROGRAM,
     "assembly: true is a boolean; write a table, for example [assembly]"),
    (HEAD + '[assembly]\npath = "src"\n' + PROGRAM,
     ("assembly.path: 'src' is a string; write an array of folders, for example "
      'path = ["src/{target}", "src/common"]')),
    (HEAD + "[assembly]\npath = [1]\n" + PROGRAM,
     ('assembly.path: 1 is an integer; write a string, for example '
      'path = ["src/{target}", "src/common"]')),
    (HEAD + '[assembly]\ndefines = ["A"]\n' + PROGRAM,
     ("assembly.defines: is an array; write a table of names to values, for example "
      'defines = {BACKLOG = 128, NAME = "x", DEBUG = true}')),
    ("targets = 2020-02-03\n" + HEAD + PROGRAM,
     "targets: 2020-02-03 is a date; write a table, for example [targets.x86_64]"),
    ("targets.x86_64 = 07:32:00\n" + HEAD + PROGRAM,
     "targets.x86_64: 07:32:00 is a time; write a table, for example [targets.x86_64]"),
    (HEAD + PROGRAM + '[targets.x86_64]\nprefix = "x86_64-"\n',
     ("targets.x86_64.prefix: 'x86_64-' is a string; write an array of strings, for example "
      'prefix = ["aarch64-linux-gnu-", "aarch64-none-linux-gnu-"]')),
    (HEAD + PROGRAM + '[targets.x86_64]\nnasm = ["nasm"]\n',
     'targets.x86_64.nasm: is an array; write a string, for example nasm = "nasm-2.16"'),
    ("programs = 1979-05-27T07:32:00Z\n" + HEAD,
     ("programs: 1979-05-27 07:32:00+00:00 is a date and time; write a table, for example "
      "[programs.hello]")),
    ('programs.hello = "src/hello.asm"\n' + HEAD,
     "programs.hello: 'src/hello.asm' is a string; write a table, for example [programs.hello]"),
    (HEAD + PROGRAM + "summary = 1\n",
     ("programs.hello.summary: 1 is an integer; write a string, for example "
      'summary = "HTTP server: a process per connection"')),
    (HEAD + '[programs.hello]\nsources = ["src/hello.asm"]\n',
     ("programs.hello.sources: is an array; write a table, for example "
      'sources.x86_64 = ["src/x86_64/hello.asm"]')),
    (HEAD + '[programs.hello]\nsources.x86_64 = "src/hello.asm"\n',
     ("programs.hello.sources.x86_64: 'src/hello.asm' is a string; write an array of files, "
      'for example sources.x86_64 = ["src/x86_64/hello.asm"]')),
    (HEAD + '[programs.hello]\nsources.x86_64 = ["src/hello.asm", 5]\n',
     ("programs.hello.sources.x86_64: 5 is an integer; write a string, "
      'for example sources.x86_64 = ["src/x86_64/hello.asm"]')),
    (HEAD + PROGRAM + 'debug = "yes"\n',
     "programs.hello.debug: 'yes' is a string; write true or false, for example debug = true"),
    (HEAD + PROGRAM + "asflags = [[]]\n",
     'programs.hello.asflags: is an array; write a string, for example asflags = ["-w"]'),
    (HEAD + PROGRAM + 'depends = "src/hello.s"\n',
     ("programs.hello.depends: 'src/hello.s' is a string; write an array of files, for example "
      'depends = ["src/table.bin"]')),
    (HEAD + PROGRAM + "targets = []\n",
     ("programs.hello.targets: is an array; write a table, for example "
      "[programs.hello.targets.x86_64]")),
    (HEAD + PROGRAM + "targets.x86_64 = 1\n",
     ("programs.hello.targets.x86_64: 1 is an integer; write a table, for example "
      "[programs.hello.targets.x86_64]")),
    (HEAD + PROGRAM + "[programs.hello.targets.x86_64]\nassembler = nan\n",
     ("programs.hello.targets.x86_64.assembler: nan is a float; write a string, for example "
      'assembler = "clang"')),
)

MISSING_AND_EMPTY = (
    (PROGRAM, "project: is missing; write for example [project]"),
    ("[project]\nversion = '1'\n" + PROGRAM,
     'project.name: is missing; write for example name = "hello"'),
    ("[project]\nname = 'a'\n" + PROGRAM,
     'project.version: is missing; write for example version = "0.1.0"'),
    ("[project]\nname = ''\nversion = '1'\n" + PROGRAM,
     'project.name: is empty; write for example name = "hello"'),
    (HEAD + "license = ''\n" + PROGRAM,
     'project.license: is empty; write for example license = "MIT"'),
    (HEAD, "programs: is missing; write for example [programs.hello]"),
    (HEAD + "[programs]\n", ("programs: the project has no program; write for example "
                             "[programs.hello]")),
    (HEAD + "[programs.hello]\n", ("programs.hello.sources: is missing; write for example "
                                   'sources.x86_64 = ["src/x86_64/hello.asm"]')),
    (HEAD + "[programs.hello]\nsources = {}\n",
     ("programs.hello.sources: the program has no target; write for example "
      'sources.x86_64 = ["src/x86_64/hello.asm"]')),
    (HEAD + "[programs.hello]\nsources.x86_64 = []\n",
     "programs.hello.sources.x86_64: is empty; name a source, or remove the key"),
    (HEAD + PROGRAM + 'asflags = [""]\n',
     'programs.hello.asflags: is empty; write for example asflags = ["-w"]'),
    (HEAD + PROGRAM + '[targets.x86_64]\nld = ""\n',
     'targets.x86_64.ld: is empty; write for example ld = "ld64.lld-17"'),
)

NAMES = (
    ("[project]\nname = '-x'\nversion = '1'\n" + PROGRAM,
     ("project.name: '-x' is no name for a project; use letters, digits, '.', '_' and '-', "
      "and begin with a letter or a digit")),
    ("[project]\nname = 'x'\nversion = '1/2'\n" + PROGRAM,
     "project.version: '1/2' is no version; leave out spaces and slashes"),
    ("[project]\nname = 'x'\nversion = '1 2'\n" + PROGRAM,
     "project.version: '1 2' is no version; leave out spaces and slashes"),
    (HEAD + 'license = "MIT\\u0007"\n' + PROGRAM,
     "project.license: 'MIT\\x07' holds the control character U+0007; remove it"),
    (HEAD + PROGRAM + 'summary = """two\nlines"""\n',
     "programs.hello.summary: 'two\\nlines' holds the control character U+000A; remove it"),
    (HEAD + PROGRAM.replace("hello]", '"a b"]'),
     ("programs.\"a b\": is no name for a program; use letters, digits, '.', '_', '-' and '+', "
      "and begin with neither '.' nor '-'")),
    (HEAD + PROGRAM.replace("hello]", '"\\n\\"\\u2028"]'),
     ("programs.\"\\n\\\"\\u2028\": is no name for a program; use letters, digits, '.', '_', '-' "
      "and '+', and begin with neither '.' nor '-'")),
    (HEAD + PROGRAM.replace("hello]", "-x]"),
     ("programs.-x: is no name for a program; use letters, digits, '.', '_', '-' and '+', "
      "and begin with neither '.' nor '-'")),
    *((HEAD + PROGRAM.replace("hello]", f"{name}]"),
       f"programs.{name}: is the name of a folder in build/<target>/; choose another")
      for name in ("obj", "Obj", "check", "lib", "obj-hello", "Smoke")),
    *((HEAD + PROGRAM.replace("hello]", f"{name}]"),
       f"programs.{name}: is the name of an alias (scons {name}); choose another")
      for name in ("build", "smoke", "package", "verify", "test", "list", "x86_64")),
    (HEAD + PROGRAM + PROGRAM.replace("hello]", "Hello]"),
     ("programs.Hello: differs from programs.hello only in case, and some file systems take the "
      "two for one; rename one")),
    (HEAD + PROGRAM + 'defines."a-b" = 1\n',
     ("programs.hello.defines.a-b: is no name to define; use letters, digits and '_', "
      "and begin with no digit")),
    (HEAD + PROGRAM + "defines.1 = 1\n",
     ("programs.hello.defines.1: is no name to define; use letters, digits and '_', "
      "and begin with no digit")),
    *((HEAD + PROGRAM + f"defines.A = {value}\n",
       (f"programs.hello.defines.A: {said}; write true, a string or an integer, for example "
        'defines = {BACKLOG = 128, NAME = "x", DEBUG = true}'))
      for value, said in (("false", "false is a boolean"), ("1.5", "1.5 is a float"),
                          ("[]", "is an array"), ("{}", "is a table"))),
    (HEAD + PROGRAM + 'defines.A = ""\n',
     ("programs.hello.defines.A: is empty; write for example "
      'defines = {BACKLOG = 128, NAME = "x", DEBUG = true}')),
    (HEAD + PROGRAM + "defines.A = 0x10000000000000000\n",
     ("programs.hello.defines.A: 18446744073709551616 does not fit into 64 bits; "
      "write a smaller number")),
    (HEAD + PROGRAM + 'assembler = "nasm"\n',
     "programs.hello.assembler: 'nasm' is no choice here; write \"clang\" or \"gas\""),
    (HEAD + PROGRAM + 'assembler = "gass"\n',
     "programs.hello.assembler: 'gass' is no choice here; did you mean 'gas'?"),
    (HEAD + PROGRAM + '[targets.x86_64]\nnasm = "-g"\n',
     "targets.x86_64.nasm: '-g' is no program; write its name or its path"),
)

TARGETS = (
    (HEAD + PROGRAM + "[targets.x86_65]\n", ("targets.x86_65: unknown target; "
                                             "did you mean 'x86_64'?")),
    (HEAD + PROGRAM + "[targets.amd64]\n", "targets.amd64: unknown target; did you mean 'x86_64'?"),
    (HEAD + PROGRAM + "[targets.z80]\n",
     "targets.z80: unknown target; known: arm64_linux, arm64_macos, x86_32, x86_64"),
    (HEAD + PROGRAM + 'sources.i386 = ["src/hello.asm"]\n',
     "programs.hello.sources.i386: unknown target; did you mean 'x86_32'?"),
    (HEAD + PROGRAM + "[programs.hello.targets.aarch64]\n",
     "programs.hello.targets.aarch64: unknown target; did you mean 'arm64_linux'?"),
    (HEAD + PROGRAM + "[programs.hello.targets.x86_32]\n",
     ("programs.hello.targets.x86_32: the program has no sources for x86_32; add them, "
      "or remove the table")),
    (HEAD + PROGRAM + '[targets.arm64_macos]\nassembler = "gas"\n',
     "targets.arm64_macos.assembler: 'gas' does not assemble for arm64_macos; write \"clang\""),
    (HEAD + ARM + '[programs.hello.targets.arm64_macos]\nassembler = "gas"\n',
     ("programs.hello.targets.arm64_macos.assembler: 'gas' does not assemble for arm64_macos; "
      'write "clang"')),
    (HEAD + ARM + 'assembler = "gas"\n',
     ("programs.hello.assembler: 'gas' does not assemble for arm64_macos; write "
      'assembler = "clang" in [programs.hello.targets.arm64_macos]')),
    (HEAD + '[assembly]\nassembler = "gas"\n' + ARM,
     ("assembly.assembler: 'gas' does not assemble for arm64_macos; write "
      'assembler = "clang" in [targets.arm64_macos]')),
    (HEAD + PROGRAM + '[targets.arm64_linux]\nnasm = "nasm"\n',
     "targets.arm64_linux.nasm: arm64_linux has no use for nasm; remove the key"),
    (HEAD + PROGRAM + '[targets.arm64_macos]\ngasflags = ["-x"]\n',
     "targets.arm64_macos.gasflags: arm64_macos has no use for gas; remove the key"),
    (HEAD + PROGRAM + '[targets.arm64_macos]\nprefix = [""]\n',
     "targets.arm64_macos.prefix: arm64_macos has no use for prefixed binutils; remove the key"),
)

CASES = (*UNKNOWN_KEYS, *WRONG_TYPES, *MISSING_AND_EMPTY, *NAMES, *TARGETS)


@pytest.mark.parametrize(("content", "line"), CASES, ids=[line[:70] for _, line in CASES])
def test_each_fault_is_one_line(folder: Path, content: str, line: str) -> None:
    assert faults(content) == [line]


def test_an_empty_file_lacks_project_and_programs(folder: Path) -> None:
    assert faults("") == ["project: is missing; write for example [project]",
                          "programs: is missing; write for example [programs.hello]"]


def test_a_fault_that_several_programs_meet_is_told_once(folder: Path) -> None:
    programs = ARM + ARM.replace("hello]", "other]")
    assert faults(f'{HEAD}[assembly]\nassembler = "gas"\n{programs}') == [
        ("assembly.assembler: 'gas' does not assemble for arm64_macos; write "
         'assembler = "clang" in [targets.arm64_macos]')]
