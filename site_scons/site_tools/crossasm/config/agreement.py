"""What one value alone does not show: the faults of keys of ``crossasm.toml`` that disagree."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator, Tuple

from ..project import Build, Program, object_path
from ..targets import TARGETS, Target
from .faults import Place, header, shown

__all__ = ["check_agreement"]

_TOOL_OF_KEY = {**{tool: tool for tool in ("nasm", "gas", "clang", "ld", "ar", "cpp")},
                "nasmflags": "nasm", "gasflags": "gas", "clangflags": "clang"}
"""Keys of a table for one target that serve one tool."""

_Table = Dict[str, Any]


def check_agreement(tables: _Table, programs: Tuple[Program, ...], place: Place) -> None:
    """Note at `place` what is wrong between the keys of `tables`, from which `programs` came."""
    for check in (_check_tables_of_one_target, _check_assemblers, _check_idle_tables):
        check(tables, place)
    _check_case(programs, place)
    _check_objects([build for program in programs for build in program.builds], place)


def _for_one_target(tables: _Table) -> Iterator[Tuple[Tuple[str, ...], _Table]]:
    """Yield key path and content of each table whose last key is a target."""
    for target, table in tables.get("targets", {}).items():
        yield ("targets", target), table
    for name, program in tables.get("programs", {}).items():
        for target, table in program.get("targets", {}).items():
            yield ("programs", name, "targets", target), table


def _check_tables_of_one_target(tables: _Table, place: Place) -> None:
    for keys, table in _for_one_target(tables):
        target = TARGETS[keys[-1]]
        if table.get("assembler", "") not in ("", *_assemblers(target)):
            _at(place, *keys, "assembler").fault(
                f"{_assembles_not(table, target)}; write {_choices(target)}")
        for key in _TOOL_OF_KEY.keys() & table.keys():
            if _TOOL_OF_KEY[key] not in target.tools:
                _at(place, *keys, key).fault(
                    f"{target.name} has no use for {_TOOL_OF_KEY[key]}; remove the key")
        if "prefix" in table and not target.prefixes:
            _at(place, *keys, "prefix").fault(
                f"{target.name} has no use for prefixed binutils; remove the key")


def _check_assemblers(tables: _Table, place: Place) -> None:
    """Note a choice made for several targets at once that one of them, in use, cannot follow."""
    assembly = tables.get("assembly", {})
    for name, program in tables.get("programs", {}).items():
        for target in (TARGETS[each] for each in program.get("sources", {})):
            special = program.get("targets", {}).get(target.name, {})
            general = tables.get("targets", {}).get(target.name, {})
            if "assembler" in special:
                continue
            if "assembler" in program:
                _check_choice(program, target, _at(place, "programs", name))
            elif "assembler" in assembly and "assembler" not in general:
                _check_choice(assembly, target, _at(place, "assembly"))


def _check_choice(table: _Table, target: Target, place: Place) -> None:
    if table["assembler"] not in _assemblers(target):
        remedy = place.keys[:2] if place.keys[0] == "programs" else ()
        keys = header((*remedy, "targets", target.name))
        place.at("assembler").fault(f"{_assembles_not(table, target)}; "
                                    f"write assembler = {_choices(target)} in [{keys}]")


def _assemblers(target: Target) -> Tuple[str, ...]:
    return tuple(name for names in target.assemblers.values() for name in names)


def _assembles_not(table: _Table, target: Target) -> str:
    return f"{shown(table['assembler'])} does not assemble for {target.name}"


def _choices(target: Target) -> str:
    return " or ".join(f'"{name}"' for name in sorted({*_assemblers(target)} - {"nasm"}))


def _check_idle_tables(tables: _Table, place: Place) -> None:
    """Note a program's table for a target that the program has no sources for."""
    for name, program in tables.get("programs", {}).items():
        for target in program.get("targets", {}):
            if target not in program.get("sources", {target: ()}):
                _at(place, "programs", name, "targets", target).fault(
                    f"the program has no sources for {target}; add them, or remove the table")


def _check_case(programs: Iterable[Program], place: Place) -> None:
    """Note names that a file system which folds case, as a Mac's, takes for one."""
    first: Dict[str, str] = {}
    for name in (program.name for program in programs):
        other = first.setdefault(name.lower(), name)
        if other != name:
            _at(place, "programs", name).fault(
                f"differs from {header(('programs', other))} only in case, and some file systems "
                "take the two for one; rename one")


def _check_objects(builds: Iterable[Build], place: Place) -> None:
    """Note two sources whose objects would be one file."""
    first: Dict[str, Tuple[str, str]] = {}
    for build in builds:
        for source in build.sources:
            path = object_path(build, source)
            other, program = first.setdefault(path.lower(), (source, build.program))
            if other != source:
                whose = "" if program == build.program else f" of {header(('programs', program))}"
                _at(place, "programs", build.program, "sources", build.target).fault(
                    f"{shown(source)} and {shown(other)}{whose} would both become {path}; "
                    "rename one")


def _at(place: Place, *keys: str) -> Place:
    for key in keys:
        place = place.at(key)
    return place
