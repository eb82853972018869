"""What crossasm.toml becomes: settings merged, every key in the reference, no traceback."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import List

import pytest

from crossasm.config import SECTIONS, load
from crossasm.errors import CrossasmError
from crossasm.project import Build, Program, Project, Settings, ToolChoice, object_stem

REPOSITORY = Path(__file__).resolve().parent.parent
HEAD = '[project]\nname = "hello"\nversion = "0.1.0"\n'
REFERENCE = REPOSITORY / "docs/reference/crossasm-toml.md"
FILES = ("src/hello.asm", "src/hello.s", "src/x86_64/net.asm", "src/arm64_linux/hello.s",
         "src/arm64_macos/hello.s", "src/common/sys.inc", "lib/x86_32/abi.inc")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with sources, and the working directory."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str) -> Project:
    Path("crossasm.toml").write_text(text, encoding="utf-8")
    return load(Path("crossasm.toml"))


def build_of(text: str, target: str = "x86_64") -> Build:
    (program,) = read(HEAD + text).programs
    return next(build for build in program.builds if build.target == target)


BOTH = ('[programs.hello]\nsources.x86_64 = ["src/hello.asm"]\n'
        'sources.arm64_linux = ["src/arm64_linux/hello.s"]\n')


def test_a_whole_file_becomes_a_project(folder: Path) -> None:
    project = read(HEAD + 'license = "MIT"\n'
                   '[targets.x86_64]\nprefix = ["x86_64-elf-", ""]\nnasm = "/opt/nasm"\n'
                   '[programs.hello]\nsummary = "says hello"\nmax_size = "10 KiB"\n'
                   'sources.x86_64 = ["./src//hello.asm", "src/x86_64/net.asm"]\n')
    build = Build("hello", "x86_64", ("src/hello.asm", "src/x86_64/net.asm"), max_size=10240)
    assert project == Project(
        root=folder, name="hello", version="0.1.0", license="MIT",
        programs=(Program("hello", "says hello", (build,)),),
        toolchains={"x86_64": ToolChoice(("x86_64-elf-", ""), {"nasm": "/opt/nasm"})})


def test_the_root_is_the_folder_of_the_file_wherever_scons_runs(
        folder: Path, tmp_path_factory: pytest.TempPathFactory,
        monkeypatch: pytest.MonkeyPatch) -> None:
    read(HEAD + BOTH)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert load(folder / "crossasm.toml").root == folder


def test_lists_of_all_levels_are_appended_in_their_order(folder: Path) -> None:
    text = ('[assembly]\nasflags = ["-a"]\n[targets.x86_64]\nasflags = ["-b"]\n'
            + BOTH + 'asflags = ["-w"]\n[programs.hello.targets.x86_64]\nasflags = ["-y", "z"]\n')
    assert build_of(text).settings.asflags == ("-a", "-b", "-w", "-y", "z")
    assert build_of(text, "arm64_linux").settings.asflags == ("-a", "-w")


@pytest.mark.parametrize("key", ["asflags", "nasmflags", "gasflags", "clangflags", "linkflags"])
def test_flags_reach_the_setting_of_their_name(folder: Path, key: str) -> None:
    settings = build_of(BOTH + f'{key} = ["-x", "y z"]\n').settings
    assert settings == replace(Settings(), **{key: ("-x", "y z")})  # type: ignore[arg-type]


def test_defines_are_overridden_by_name_and_true_is_the_bare_name(folder: Path) -> None:
    build = build_of('[assembly]\ndefines = {A = 1, B = "b", C = true}\n' + BOTH
                     + "defines = {B = 2, D = 0xffffffffffffffff}\n"
                     "[programs.hello.targets.x86_64]\ndefines = {A = -1}\n")
    assert build.settings.defines == (("A", "-1"), ("B", "2"), ("C", ""),
                                      ("D", "18446744073709551615"))


def test_scalars_are_overridden_by_the_narrower_table(folder: Path) -> None:
    text = ('[assembly]\nassembler = "clang"\ndebug = true\n[targets.arm64_linux]\ndebug = false\n'
            + BOTH + 'max_size = 4096\n[programs.hello.targets.x86_64]\n'
            'assembler = "gas"\nmax_size = "1 MiB"\n')
    wide, narrow = build_of(text, "arm64_linux"), build_of(text)
    assert (wide.settings.assembler, wide.settings.debug, wide.max_size) == ("clang", False, 4096)
    assert (narrow.settings.assembler, narrow.settings.debug) == ("gas", True)
    assert narrow.max_size == 2**20


@pytest.mark.parametrize("text", [
    '[assembly]\nassembler = "gas"\n[targets.arm64_macos]\nassembler = "clang"\n{program}',
    '{program}assembler = "gas"\n[programs.hello.targets.arm64_macos]\nassembler = "clang"\n',
])
def test_an_assembler_for_all_targets_is_overridden_where_one_lacks_it(
        folder: Path, text: str) -> None:
    program = BOTH + 'sources.arm64_macos = ["src/arm64_macos/hello.s"]\n'
    text = text.format(program=program)
    assert build_of(text).settings.assembler == "gas"
    assert build_of(text, "arm64_macos").settings.assembler == "clang"


def test_the_placeholder_in_a_path_becomes_the_target(folder: Path) -> None:
    text = '[assembly]\npath = ["src/{target}", "src/common"]\n' + BOTH
    assert build_of(text).settings.path == ("src/x86_64", "src/common")
    assert build_of(text, "arm64_linux").settings.path == ("src/arm64_linux", "src/common")


def test_a_path_with_the_placeholder_may_lack_a_folder_for_some_targets(folder: Path) -> None:
    assert build_of(BOTH + 'path = ["lib/{target}"]\n').settings.path == ("lib/x86_64",)


def test_an_include_folder_in_build_need_not_be_there_yet(folder: Path) -> None:
    assert build_of(BOTH + 'path = ["build/generated"]\n').settings.path == ("build/generated",)


def test_a_dependency_need_not_be_there_yet(folder: Path) -> None:
    build = build_of(BOTH + 'depends = ["build/table.bin", "src/common/sys.inc"]\n')
    assert build.settings.depends == ("build/table.bin", "src/common/sys.inc")


@pytest.mark.parametrize(("text", "own"), [
    (BOTH, False),
    ('[assembly]\ndebug = true\n[targets.x86_64]\ngasflags = ["-w"]\n' + BOTH, False),
    (BOTH + "debug = false\n", False),
    (BOTH + "debug = true\n", True),
    (BOTH + 'max_size = "1 KiB"\n', False),
    (BOTH + "[programs.hello.targets.x86_64]\ndefines.A = 1\n", True),
    (BOTH + "[programs.hello.targets.arm64_linux]\ndefines.A = 1\n", False),
])
def test_a_program_has_settings_of_its_own_when_they_differ_from_its_targets(
        folder: Path, text: str, own: bool) -> None:
    assert build_of(text).own_settings is own


@pytest.mark.parametrize(("written", "size"), [
    ("512", 512), ('"512"', 512), ('"512 B"', 512), ('"10 KiB"', 10240), ('"10KiB"', 10240),
    ('"64 KiB"', 65536), ('"1 MiB"', 1048576), ('"2 GiB"', 2**31),
])
def test_sizes_are_bytes_or_carry_a_binary_unit(folder: Path, written: str, size: int) -> None:
    assert build_of(BOTH + f"max_size = {written}\n").max_size == size


@pytest.mark.parametrize(("source", "target", "stem"), [
    ("src/x86_64/hello.asm", "x86_64", "hello"),
    ("src/x86_64/net/tcp.asm", "x86_64", "net/tcp"),
    ("src/x86_64/hello.asm", "x86_32", "x86_64/hello"),
    ("src/hello.s", "x86_64", "hello"),
    ("src/x86_64.s", "x86_64", "x86_64"),
    ("lib/src/hello.S", "x86_64", "lib/src/hello"),
    ("hello.asm", "x86_64", "hello"),
    ("hello.v2.asm", "x86_64", "hello.v2"),
    ("source/x86_64/hello.s", "x86_64", "source/x86_64/hello"),
])
def test_an_objects_path_is_its_sources_less_src_and_target(
        source: str, target: str, stem: str) -> None:
    assert object_stem(source, target) == stem


def test_a_symbolic_link_that_stays_inside_is_a_source(folder: Path) -> None:
    (folder / "src/link.asm").symlink_to("hello.asm")
    assert build_of(BOTH.replace("hello.asm", "link.asm")).sources == ("src/link.asm",)


def test_a_project_may_be_reached_through_a_symbolic_link(folder: Path, tmp_path: Path) -> None:
    read(HEAD + BOTH)
    (tmp_path / "link").symlink_to(".")
    assert load(Path("link/crossasm.toml")).root == folder


def test_programs_may_share_a_source(folder: Path) -> None:
    project = read(HEAD + BOTH + '[programs.other]\nsources.x86_64 = ["src/hello.asm"]\n')
    assert [program.name for program in project.programs] == ["hello", "other"]


def test_programs_with_settings_of_their_own_do_not_clash(folder: Path) -> None:
    project = read(HEAD + BOTH + '[programs.other]\nsources.x86_64 = ["src/hello.s"]\n'
                   'debug = true\n')
    assert [build.own_settings for program in project.programs for build in program.builds] == [
        False, False, True]


def test_the_repositorys_own_file_is_sound() -> None:
    assert load(REPOSITORY / "crossasm.toml").name == "asm-servers"


def test_every_key_is_in_the_reference_and_no_other() -> None:
    assert keys_of_page() == {section: [key.name for key in keys]
                              for section, keys in SECTIONS.items()}


def keys_of_page() -> dict[str, List[str]]:
    _, *sections = re.split(r"^## ", REFERENCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    titles = {section.partition("\n")[0].replace("`", ""): section for section in sections}
    return {title: re.findall(r"^\| `([a-z_]+)` \|", section, flags=re.MULTILINE)
            for title, section in titles.items() if "| key |" in section}


def test_every_example_of_the_schema_is_right_and_stands_in_the_reference(folder: Path) -> None:
    (folder / "src/x86_64/hello.asm").touch()
    rows = {section: "\n".join(key.example for key in keys) for section, keys in SECTIONS.items()}
    read("\n".join((
        "[project]", rows["[project]"], "[assembly]", rows["Settings"],
        "[targets.x86_64]", rows["[targets.T]"],
        "[programs.hello]", rows["[programs.P]"], rows["[programs.P.targets.T]"])))
    page = REFERENCE.read_text(encoding="utf-8")
    assert [key.example for keys in SECTIONS.values() for key in keys
            if f"`{key.example}`" not in page] == []


WORDS = ("project", "programs", "hello", "sources", "x86_64", "targets", "assembly", "path", "name",
         "max_size", "defines", "debug", "arm64_linux", "amd64", '"\\u0007"', '"é\\n\\u2028"', "a")
VALUES = ("1", "true", '"x"', '"10 KB"', "1.5", "nan", "[]", "{}", '["src/hello.asm"]', "[[1]]",
          '["-o", "", "../x", "/x", "\\u0000", "src"]', "1979-05-27", "07:32:00", "{a = {b = [1]}}",
          "0x" + "f" * 5000, '"' + "y" * 5000 + '"', '"a\\u0085b"', "1979-05-27T07:32:00Z")


def random_document(dice: random.Random) -> str:
    lines = [HEAD + BOTH] if dice.random() < 0.5 else []
    for _ in range(dice.randrange(12)):
        keys = ".".join(dice.choices(WORDS, k=dice.randint(1, 4)))
        lines.append(f"[{keys}]" if dice.random() < 0.4 else f"{keys} = {dice.choice(VALUES)}")
    return "\n".join(lines) + "\n"


def mutated(text: str, dice: random.Random) -> bytes:
    data = bytearray(text.encode())
    for _ in range(dice.randrange(6) if dice.random() < 0.5 else 0):
        place = dice.randrange(len(data) + 1)
        data[place:place + dice.randrange(3)] = dice.choice(
            (b"", b"=", b"[", b'"', b"\n", bytes([dice.randrange(256)])))
    return bytes(data)


def outcome(data: bytes) -> List[str]:
    Path("crossasm.toml").write_bytes(data)
    try:
        load(Path("crossasm.toml"))
    except CrossasmError as error:
        return list(error.lines)
    return []


def test_any_file_is_a_project_or_whole_lines_that_name_it(folder: Path) -> None:
    dice, sound, parsed = random.Random(2), 0, 0  # noqa: S311 - a seed, so that a failure repeats
    for _ in range(3000):
        data = mutated(random_document(dice), dice)
        lines = outcome(data)
        sound += not lines
        parsed += len(lines) > 1
        for line in lines:
            assert line.startswith("crossasm.toml: "), data
            assert line.splitlines() == [line], data
            assert len(line) < 1000, data
    assert sound > 20
    assert parsed > 200
