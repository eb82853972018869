"""From ``crossasm.toml`` to the typed project, or to one line for each of its faults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

from ..errors import CrossasmError
from ..project import Build, Program, Project, Settings, ToolChoice
from .agreement import check_agreement
from .document import read_document
from .faults import Place, in_order, printable
from .schema import SETTINGS, TOOLCHAIN, read_tables

__all__ = ["load"]

_Table = Dict[str, Any]


def load(path: Path) -> Project:
    """Return the project that the TOML file at `path` describes.

    Raises CrossasmError with a line for every fault of the file, in the order of its keys.
    """
    document = read_document(path)
    place = Place(str(path.parent.resolve()))
    tables = read_tables(document, place)
    programs = _programs(tables)
    check_agreement(tables, programs, place)
    if place.faults:
        faults = dict.fromkeys(map(str, in_order(place.faults, document)))
        raise CrossasmError(*(f"{printable(str(path))}: {fault}" for fault in faults))
    return Project(root=Path(place.root), programs=programs, toolchains=_toolchains(tables),
                   **tables["project"])


def _toolchains(tables: _Table) -> Mapping[str, ToolChoice]:
    choices = {}
    for target, table in tables.get("targets", {}).items():
        tools = {key.name: table[key.name] for key in TOOLCHAIN if key.name in table}
        prefix = tools.pop("prefix", ())
        if prefix or tools:
            choices[target] = ToolChoice(prefix, tools)
    return choices


def _programs(tables: _Table) -> Tuple[Program, ...]:
    return tuple(
        Program(name, table.get("summary", ""),
                tuple(_build(tables, name, target) for target in table.get("sources", {})))
        for name, table in tables.get("programs", {}).items()
    )


def _build(tables: _Table, name: str, target: str) -> Build:
    program = tables["programs"][name]
    variant = program.get("targets", {}).get(target, {})
    shared = _merged(_merged(Settings(), tables.get("assembly", {}), target),
                     tables.get("targets", {}).get(target, {}), target)
    settings = _merged(_merged(shared, program, target), variant, target)
    return Build(name, target, program["sources"][target], settings,
                 max_size=variant.get("max_size", program.get("max_size")),
                 own_settings=settings != shared)


def _merged(settings: Settings, table: _Table, target: str) -> Settings:
    """Lay the settings of `table` over `settings`: lists grow, names and scalars are replaced."""
    changes = {key.name: _joined(getattr(settings, key.name), table[key.name])
               for key in SETTINGS if key.name in table}
    joined: Settings = replace(settings, **changes)
    path = tuple(folder.replace("{target}", target) for folder in joined.path)
    return replace(joined, path=path, defines=tuple(dict(joined.defines).items()))


def _joined(above: object, here: object) -> Any:
    return above + here if isinstance(above, tuple) and isinstance(here, tuple) else here
