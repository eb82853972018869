"""The tables and keys that ``crossasm.toml`` may hold: a row of data for each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from ..errors import nearest
from ..targets import TARGETS
from .faults import Place
from .paths import depend, folder, sources
from .values import Reader, array_of, choice, defines, flags, size, string, switch, text

__all__ = ["SECTIONS", "Key", "read_tables"]


@dataclass(frozen=True)
class Key:
    """One key of a table."""

    name: str
    read: Reader
    example: str
    """A line of TOML, as it might stand in the table."""
    required: bool = False


def table(*rows: Key) -> Reader:
    """Return a reader of tables that hold these keys and no others, as a dict of what is right."""
    known = {row.name: row for row in rows}

    def read(value: object, place: Place) -> Optional[Dict[str, Any]]:
        if not isinstance(value, dict):
            place.wants(value, "a table")
            return None
        for key in value.keys() - known.keys():
            place.at(key).fault(f"unknown key{nearest(key, known)}")
        for row in rows:
            if row.required and row.name not in value:
                place.at(row.name).fault(f"is missing; write for example {row.example}")
        given = ((row, value[row.name]) for row in rows if row.name in value)
        pairs = [(row.name, row.read(item, place.at(row.name, row.example)))
                 for row, item in given]
        return {name: item for name, item in pairs if item is not None}
    return read


def table_of(check: Callable[[str], str], item: Reader, *, empty: str = "") -> Reader:
    """Return a reader of tables with keys of the user's own.

    `check` says what is wrong with a key, or nothing; `empty`, what is wrong with no key at all.
    """
    def read(value: object, place: Place) -> Optional[Dict[str, Any]]:
        if not isinstance(value, dict):
            place.wants(value, "a table")
            return None
        if empty and not value:
            place.fault(f"{empty}; write for example {place.example}")
        tables = {}
        for key, given in value.items():
            fault = check(key)
            if fault:
                place.at(key).fault(fault)
            content = item(given, place.at(key))
            if content is not None and not fault:
                tables[key] = content
        return tables
    return read


_RESERVED_FOLDERS = ("obj", "check", "smoke", "lib")
"""Folders in ``build/<target>/``, beside the programs; ``obj-<program>`` is one too."""
_ALIASES = ("build", "smoke", "package", "verify", "test", "list", *TARGETS)


def program_fault(name: str) -> str:
    """Say why `name` can be no program's, or return nothing."""
    if not re.fullmatch(r"[A-Za-z0-9_+][A-Za-z0-9._+-]*", name):
        return ("is no name for a program; use letters, digits, '.', '_', '-' and '+', "
                "and begin with neither '.' nor '-'")
    if name in _ALIASES:
        return f"is the name of an alias (scons {name}); choose another"
    folded = name.lower()  # a Mac's file system takes Obj and obj for one
    if folded in _RESERVED_FOLDERS or folded.startswith("obj-"):
        return "is the name of a folder in build/<target>/; choose another"
    return ""


def target_fault(name: str) -> str:
    """Say that `name` is no target, with the one that is meant, or return nothing."""
    if name in TARGETS:
        return ""
    meant = next((row.name for row in TARGETS.values() if name.lower() in row.aliases), None)
    return f"unknown target{nearest(meant or name, TARGETS)}"


SETTINGS = (
    Key("assembler", choice("clang", "gas"), 'assembler = "clang"'),
    Key("path", array_of(folder, "an array of folders"), 'path = ["src/{target}", "src/common"]'),
    Key("defines", defines, 'defines = {BACKLOG = 128, NAME = "x", DEBUG = true}'),
    Key("asflags", flags("every"), 'asflags = ["-w"]'),
    Key("nasmflags", flags("nasm"), 'nasmflags = ["-O2"]'),
    Key("gasflags", flags("gas"), 'gasflags = ["--fatal-warnings"]'),
    Key("clangflags", flags("clang"), 'clangflags = ["-Werror"]'),
    Key("linkflags", flags("link"), 'linkflags = ["-z", "separate-code"]'),
    Key("debug", switch, "debug = true"),
    Key("depends", array_of(depend, "an array of files"), 'depends = ["src/table.bin"]'),
)

_TOOL = text(r"[^-].*", "is no program; write its name or its path")

TOOLCHAIN = (
    Key("prefix", array_of(string), 'prefix = ["aarch64-linux-gnu-", "aarch64-none-linux-gnu-"]'),
    Key("nasm", _TOOL, 'nasm = "nasm-2.16"'),
    Key("gas", _TOOL, 'gas = "aarch64-elf-as"'),
    Key("clang", _TOOL, 'clang = "clang-17"'),
    Key("ld", _TOOL, 'ld = "ld64.lld-17"'),
    Key("ar", _TOOL, 'ar = "llvm-ar"'),
    Key("cpp", _TOOL, 'cpp = "clang-17"'),
)

VARIANT = (
    Key("max_size", size, 'max_size = "10 KiB"'),
)

PROGRAM = (
    Key("summary", string, 'summary = "HTTP server: a process per connection"'),
    Key("sources", table_of(target_fault, sources, empty="the program has no target"),
        'sources.x86_64 = ["src/x86_64/hello.asm"]', required=True),
    Key("max_size", size, 'max_size = "10 KiB"'),
    Key("targets", table_of(target_fault, table(*SETTINGS, *VARIANT)),
        "[programs.hello.targets.x86_64]"),
)

PROJECT = (
    Key("name", text(r"[A-Za-z0-9][A-Za-z0-9._-]*",
                     "is no name for a project; use letters, digits, '.', '_' and '-', "
                     "and begin with a letter or a digit"), 'name = "hello"', required=True),
    Key("version", text(r"[^\s/\\]+", "is no version; leave out spaces and slashes"),
        'version = "0.1.0"', required=True),
    Key("license", text(".+", ""), 'license = "MIT"'),
)

ROOT = (
    Key("project", table(*PROJECT), "[project]", required=True),
    Key("assembly", table(*SETTINGS), "[assembly]"),
    Key("targets", table_of(target_fault, table(*SETTINGS, *TOOLCHAIN)), "[targets.x86_64]"),
    Key("programs", table_of(program_fault, table(*PROGRAM, *SETTINGS),
                             empty="the project has no program"),
        "[programs.hello]", required=True),
)

SECTIONS: Mapping[str, Tuple[Key, ...]] = {
    "The file": ROOT,
    "[project]": PROJECT,
    "Settings": SETTINGS,
    "[targets.T]": TOOLCHAIN,
    "[programs.P]": PROGRAM,
    "[programs.P.targets.T]": VARIANT,
}
"""The keys by the section of ``docs/reference/crossasm-toml.md`` that explains them."""

read_tables: Reader = table(*ROOT)
