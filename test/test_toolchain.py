"""Tools are found by candidates, and what is missing is told with how to install it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Callable, Tuple

import pytest

from crossasm import toolchain
from crossasm.project import ToolChoice
from crossasm.targets import TARGETS
from crossasm.toolchain import find_toolchain, missing_tools, tool_version

Host = Tuple[str, str]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A maker of a machine: its system and processor, and the programs on its PATH."""
    def make(host: Host, *programs: str) -> None:
        for name in programs:
            path = tmp_path / name
            path.write_text("#!/bin/sh\necho $0 version 1.2.3\n", "utf-8")
            path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr("platform.system", lambda: host[0])
        monkeypatch.setattr("platform.machine", lambda: host[1])
        monkeypatch.setattr(toolchain, "_LLVM_FOLDERS", ())
        monkeypatch.setattr(toolchain, "_BREW_FOLDERS", ())
    return make


LINUX: Host = ("Linux", "x86_64")
ARM: Host = ("Linux", "aarch64")
MAC: Host = ("Darwin", "arm64")


@pytest.mark.parametrize(("host", "target", "role", "program"), [
    (LINUX, "x86_64", "gas", "as"), (LINUX, "x86_32", "ld", "ld"),
    (LINUX, "x86_32", "gas", "i686-linux-gnu-as"), (ARM, "x86_64", "gas", "x86_64-linux-gnu-as"),
    (ARM, "arm64_linux", "gas", "as"), (LINUX, "arm64_linux", "ld", "aarch64-linux-gnu-ld"),
    (LINUX, "arm64_linux", "ld", "aarch64-none-linux-gnu-ld"),
    (LINUX, "arm64_macos", "ld", "ld64.lld"), (MAC, "arm64_macos", "ld", "ld"),
    (MAC, "arm64_macos", "ar", "ar"), (MAC, "x86_64", "nasm", "nasm"),
])
def test_a_candidate_is_found(
    machine: Callable[..., None], tmp_path: Path, host: Host, target: str, role: str, program: str,
) -> None:
    machine(host, program)
    assert find_toolchain(TARGETS[target]).tools == {role: str(tmp_path / program)}


def test_the_hosts_own_tools_do_not_serve_another_machine(machine: Callable[..., None]) -> None:
    machine(LINUX, "as", "ld", "ar")
    assert "gas" not in find_toolchain(TARGETS["arm64_linux"]).tools
    assert "ld" not in find_toolchain(TARGETS["arm64_macos"]).tools


def test_a_linker_that_is_not_on_path_is_found_beside_lld(
    machine: Callable[..., None], tmp_path: Path,
) -> None:
    machine(LINUX)
    llvm = tmp_path / "llvm-14"
    llvm.mkdir()
    for name in ("lld", "ld64.lld"):
        (llvm / name).write_text("", "utf-8")
        (llvm / name).chmod(0o755)
    (tmp_path / "lld").symlink_to(llvm / "lld")
    assert find_toolchain(TARGETS["arm64_macos"]).tools["ld"] == str(llvm / "ld64.lld")


def test_a_mac_links_against_its_sdk(machine: Callable[..., None], tmp_path: Path) -> None:
    machine(MAC, "ld", "xcrun")
    assert find_toolchain(TARGETS["arm64_macos"]).stub.endswith("/crossasm/libSystem.tbd")
    sdk = tmp_path / "sdk/usr/lib/libSystem.tbd"
    sdk.parent.mkdir(parents=True)
    sdk.touch()
    (tmp_path / "xcrun").write_text(f"#!/bin/sh\necho {tmp_path}/sdk\n", "utf-8")
    assert find_toolchain(TARGETS["arm64_macos"]).stub == str(sdk)


def test_the_project_has_the_last_word(machine: Callable[..., None], tmp_path: Path) -> None:
    machine(LINUX, "as", "ld", "odd-as", "odd-ld", "mine")
    choice = ToolChoice(prefix=("odd-",), tools={"ld": str(tmp_path / "mine")})
    found = find_toolchain(TARGETS["x86_64"], choice)
    assert found.tools["gas"].endswith("/odd-as")
    assert found.tools["ld"].endswith("/mine")


def test_what_is_missing_is_one_error_for_all_targets(machine: Callable[..., None]) -> None:
    machine(LINUX, "ld")
    gap = missing_tools([(find_toolchain(TARGETS["x86_64"]), ["nasm", "ld"]),
                         (find_toolchain(TARGETS["x86_32"]), ["nasm", "ld"]),
                         (find_toolchain(TARGETS["arm64_macos"]), ["clang", "ld"])])
    assert str(gap) == (
        "not found: nasm (for x86_64, x86_32); clang (for arm64_macos); ld64.lld (for arm64_macos);"
        " install with one of:\n"
        "  apt-get install clang lld nasm\n"
        "  dnf install clang lld nasm\n"
        "  pacman -S clang lld nasm\n"
        "  brew install lld llvm nasm")


def test_nothing_missing_is_no_error(machine: Callable[..., None]) -> None:
    machine(LINUX, "nasm", "ld")
    assert missing_tools([(find_toolchain(TARGETS["x86_64"]), ["nasm", "ld"])]) is None


@pytest.mark.parametrize("tool", ["nasm", "as", "clang", "aarch64-linux-gnu-ld"])
def test_a_tool_tells_its_version(tool: str) -> None:
    path = shutil.which(tool)
    assert path is not None
    assert tool_version(path)[0].isdigit()


def test_a_tool_that_tells_no_version_has_none(tmp_path: Path) -> None:
    assert tool_version(os.fspath(tmp_path / "absent")) == "?"
