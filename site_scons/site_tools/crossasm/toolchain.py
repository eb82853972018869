"""Find the tools of a target: candidates in, paths out; what is missing is told in one error."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from .errors import CrossasmError
from .project import ToolChoice
from .run import run
from .targets import Target

__all__ = ["Toolchain", "find_toolchain", "libraries", "missing_tools", "tool_version"]

_BINUTILS = ("as", "ld", "ar")
_LLVM = ("clang", "ld64.lld", "llvm-ar")
_LLVM_FOLDERS = ("/usr/lib", "/usr/local/lib", "/opt")
_BREW_FOLDERS = ("/opt/homebrew/opt", "/usr/local/opt")

_MANAGERS = {"apt": "apt-get install", "dnf": "dnf install", "pacman": "pacman -S",
             "brew": "brew install"}
_PACKAGES = {
    "nasm": {"apt": "nasm", "dnf": "nasm", "pacman": "nasm", "brew": "nasm"},
    "clang": {"apt": "clang", "dnf": "clang", "pacman": "clang", "brew": "llvm"},
    "ld64.lld": {"apt": "lld", "dnf": "lld", "pacman": "lld", "brew": "lld"},
    "llvm-ar": {"apt": "llvm", "dnf": "llvm", "pacman": "llvm", "brew": "llvm"},
}


@dataclass(frozen=True)
class Toolchain:
    """The tools of one target on this host."""

    target: Target
    tools: Mapping[str, str]
    """Role (nasm, gas, clang, cpp, ld, ar) to absolute path, for the roles that were found."""
    wanted: Mapping[str, str]
    """Role to the name that was looked for, for the roles that were not."""
    stub: str = ""
    """The file that programs are linked against; empty where they are static."""


def find_toolchain(target: Target, choice: Optional[ToolChoice] = None) -> Toolchain:
    """Look for each tool of `target` on PATH and beside LLVM.

    Starts no process, but for xcrun on the host of a target that has an SDK.
    """
    choice = choice or ToolChoice()
    tools: Dict[str, str] = {}
    wanted: Dict[str, str] = {}
    for role in target.tools:
        names = list(_candidates(target, role, choice))
        path = next(filter(None, (_locate(name) for name in names)), None)
        if path:
            tools[role] = path
        else:
            wanted[role] = names[0]
    return Toolchain(target, tools, wanted, _stub(target))


def missing_tools(needs: Iterable[Tuple[Toolchain, Sequence[str]]]) -> Optional[CrossasmError]:
    """Return one error that names every tool missing and how to install it, or None.

    `needs` pairs a toolchain with the roles that the build wants of it.
    """
    gaps = [(chain.target, role, chain.wanted[role])
            for chain, roles in needs for role in roles if role in chain.wanted]
    if not gaps:
        return None
    names: Dict[str, List[str]] = {}
    for target, _, name in gaps:
        names.setdefault(name, []).append(target.name)
    what = "; ".join(f"{name} (for {', '.join(dict.fromkeys(of))})" for name, of in names.items())
    lines = [f"not found: {what}; install with one of:"]
    for manager, command in _MANAGERS.items():
        packages = sorted({_package(target, role, manager) for target, role, _ in gaps})
        lines.append(f"  {command} {' '.join(packages)}")
    return CrossasmError(*lines)


@cache
def tool_version(path: str) -> str:
    """Return the version that a tool tells of itself, for example ``2.40``; ``?`` for none.

    Starts the tool once or twice, whatever the number of targets that it serves.
    """
    for option in ("--version", "-v"):
        said = run([path, option], seconds=10)
        found = re.search(r"\b(\d+\.\d+[\w.+~-]*)", said.output + said.errors)
        if said.status == 0 and found:
            return found.group(1)
    return "?"


@cache
def libraries(path: str) -> str:
    """Return a digest over name, size and time of each shared library of the tool at `path`.

    A compiler's driver may stay the same, byte for byte, while the library that does its work is
    upgraded. Asks the loader that the tool names; a tool that names none, as a script does, gives
    an empty string.
    """
    with Path(path).open("rb") as tool:
        loader = re.search(rb"/[!-~]*/ld[!-~]*\.so[!-~]*", tool.read(4096))
    if not loader:
        return ""
    said = run([loader.group().decode(), "--list", path], seconds=10).output
    files = [Path(found) for found in re.findall(r"=> (/\S+)", said)]
    known = [f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}"
             for file in files if file.exists()]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()


def _candidates(target: Target, role: str, choice: ToolChoice) -> Iterator[str]:
    """Yield the names and paths to try, best first; the project's own choice excludes the rest."""
    name = target.tools[role]
    if role in choice.tools:
        yield choice.tools[role]
    elif name in _BINUTILS:
        yield from (prefix + name for prefix in _prefixes(target, choice))
    else:
        yield name
        if name in _LLVM:
            yield from _beside_llvm(name)
        if _is_host(target) and role in target.host_tools:
            yield target.host_tools[role]


def _stub(target: Target) -> str:
    """Return the SDK's stub on the target's own host, else the one that lies beside this file."""
    if target.sdk_stub and _is_host(target):
        sdk = run(["xcrun", "--show-sdk-path"], seconds=30)
        path = Path(sdk.output.strip(), target.sdk_stub)
        if sdk.status == 0 and path.is_file():
            return str(path)
    return str(Path(__file__).with_name(target.stub)) if target.stub else ""


def _prefixes(target: Target, choice: ToolChoice) -> Tuple[str, ...]:
    if choice.prefix:
        return choice.prefix
    return ("", *target.prefixes) if _is_host(target) else target.prefixes


def _is_host(target: Target) -> bool:
    return target.host == (platform.system(), platform.machine())


def _beside_llvm(name: str) -> Iterator[str]:
    """Yield `name` in the folders where LLVM's tools lie that are not on PATH, newest first."""
    for known in ("lld", "clang"):
        path = shutil.which(known)
        if path:
            yield str(Path(os.path.realpath(path)).with_name(name))
    for folder in _LLVM_FOLDERS:
        for llvm in sorted(Path(folder).glob("llvm-[0-9]*"), key=_llvm_release, reverse=True):
            yield str(llvm / "bin" / name)
    for folder in _BREW_FOLDERS:
        for keg in ("lld", "llvm"):
            yield str(Path(folder) / keg / "bin" / name)


def _llvm_release(folder: Path) -> int:
    return int(re.sub(r"\D.*", "", folder.name[len("llvm-"):]) or 0)


def _locate(name: str) -> Optional[str]:
    path = shutil.which(name)
    return os.path.abspath(path) if path else None  # noqa: PTH100 (a link must keep its name: clang)


def _package(target: Target, role: str, manager: str) -> str:
    name = target.tools[role]
    if name in _PACKAGES:
        return _PACKAGES[name][manager]
    return "binutils" if _is_host(target) else target.binutils[manager]
