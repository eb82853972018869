"""What `scons --help` prints: a project and its toolchains in, text out."""

from __future__ import annotations

from typing import Iterable, Mapping, Tuple

from .project import Program, Project
from .targets import TARGETS
from .toolchain import Toolchain, tool_version

__all__ = ["help_text"]


def help_text(project: Project, chains: Mapping[str, Toolchain],
              arguments: Mapping[str, str], others: Iterable[str] = ()) -> str:
    """Return the help of `project`; asks each tool that was found for its version.

    `others` are the aliases that the SConstruct itself declares.
    """
    return "\n".join([
        f"{project.name} {project.version}",
        "",
        "usage: scons [arch=TARGET,...] [NAME=VALUE ...] [ALIAS or FILE ...]",
        *_section("arguments", ((f"{name}=", text) for name, text in arguments.items())),
        *_section("aliases", [*_aliases(project),
                              *((name, "declared in SConstruct") for name in others)]),
        *_section("programs", ((program.name, _targets_and_summary(program))
                               for program in project.programs)),
        "", "targets, and their tools on this host",
        *(line for chain in chains.values() for line in _tools(chain)),
        "",
    ])


def _section(title: str, rows: Iterable[Tuple[str, str]]) -> Iterable[str]:
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return ["", title, *(f"  {name:{width}}  {text}".rstrip() for name, text in rows)]


def _aliases(project: Project) -> Iterable[Tuple[str, str]]:
    yield "build", "all programs for the targets chosen, and their checks (the default)"
    for name in TARGETS:
        yield f"build-{name}", "the programs of one target"
    for program in project.programs:
        yield f"build-{program.name}", "one program, for the targets chosen"


def _targets_and_summary(program: Program) -> str:
    targets = ", ".join(build.target for build in program.builds)
    return f"{program.summary} ({targets})" if program.summary else targets


def _tools(chain: Toolchain) -> Iterable[str]:
    row = chain.target
    yield f"  {row.name}"
    yield f"    also called: {', '.join(row.aliases)}"
    for role, path in chain.tools.items():
        yield f"    {role:5}  {tool_version(path):9}  {path}"
    for role, name in chain.wanted.items():
        yield f"    {role:5}  not found: {name}"
