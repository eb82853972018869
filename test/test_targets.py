"""Targets are rows of data: every spelling finds its row, and no stage names a target."""

from __future__ import annotations

import re

import pytest

from crossasm.commands import choose_assembler
from crossasm.errors import CrossasmError
from crossasm.includes import DIALECTS
from crossasm.targets import TARGETS, parse_arch
from tree import TOOL


@pytest.mark.parametrize(("alias", "name"), [
    ("amd64", "x86_64"), ("i386", "x86_32"), ("i686", "x86_32"), ("aarch64", "arm64_linux"),
    ("i686-linux-gnu", "x86_32"), ("x86_64-linux-gnu", "x86_64"),
    ("aarch64-linux-gnu", "arm64_linux"), ("arm64-apple-darwin", "arm64_macos"),
    ("AMD64", "x86_64"), (" x86_64 ", "x86_64"),
])
def test_an_alias_names_its_target(alias: str, name: str) -> None:
    assert [row.name for row in parse_arch(alias)] == [name]


def test_targets_come_in_their_own_order_and_once() -> None:
    rows = parse_arch("arm64_macos,i386,x86_32")
    assert [row.name for row in rows] == ["x86_32", "arm64_macos"]


def test_every_wrong_word_is_told_at_once() -> None:
    with pytest.raises(CrossasmError) as told:
        parse_arch("amd46,x86_64,arm64_lnux")
    assert told.value.lines == (
        "arch=amd46,x86_64,arm64_lnux: 'amd46' is no target; did you mean 'amd64'?",
        "arch=amd46,x86_64,arm64_lnux: 'arm64_lnux' is no target; did you mean 'arm64_linux'?",
    )


def test_no_alias_means_two_targets() -> None:
    spellings = [word for row in TARGETS.values() for word in (row.name, *row.aliases)]
    assert sorted(spellings) == sorted(set(spellings))


@pytest.mark.parametrize("target", TARGETS)
def test_every_assembler_of_a_target_has_its_dialect_and_its_tools(target: str) -> None:
    row = TARGETS[target]
    chosen = [choose_assembler(row, suffix, wish)
              for suffix, names in row.assemblers.items() for wish in names]
    assert chosen
    for assembler in chosen:
        assert assembler is not None
        assert row.dialects[assembler.name] in DIALECTS
        assert set(assembler.roles) <= set(row.tools)


def test_clang_preprocesses_every_source_for_darwin() -> None:
    assert TARGETS["arm64_macos"].dialects["clang"].startswith("cpp-")


def test_no_stage_branches_on_a_target() -> None:
    """A new target must be one row and no `if`: its name stands nowhere in the code of a stage."""
    names = "|".join(TARGETS)
    branching = [f"{path.name}:{number}" for path in TOOL.rglob("*.py")
                 for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
                 if re.search(rf"\b(if|elif|case)\b.*[\"']({names})[\"']", line)
                 or re.search(r"\b(target|name)\.(startswith|endswith)\(.(x86|arm|macos)", line)]
    assert branching == []
