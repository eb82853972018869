"""A project's nodes: a Project and targets in; objects, programs and checks out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

import SCons.Environment

from .commands import choose_assembler
from .project import Build, Project, Settings, object_path
from .scons_nodes import install
from .targets import TARGETS, Target
from .toolchain import Toolchain, find_toolchain, missing_tools

__all__ = ["Linked", "build_project", "environment", "require_tools", "toolchains"]


@dataclass(frozen=True)
class Linked:
    """One program for one target, as SCons knows it."""

    build: Build
    program: Any
    """The node of the linked file."""
    check: Any
    """The node of the binary check's finding; it exists only when the program is sound."""
    objects: Tuple[Any, ...]


def toolchains(project: Project, targets: Iterable[Target]) -> Mapping[str, Toolchain]:
    """Return the toolchain of each of `targets`, found or not, by the target's name."""
    return {row.name: find_toolchain(row, project.toolchains.get(row.name)) for row in targets}


def _chosen_builds(project: Project, targets: Sequence[Target]) -> List[Build]:
    """Return what is to be built of `project` for `targets`, in the order of the file."""
    names = {target.name for target in targets}
    return [build for program in project.programs for build in program.builds
            if build.target in names]


def require_tools(project: Project, targets: Sequence[Target],
                  chains: Mapping[str, Toolchain]) -> None:
    """Raise one CrossasmError naming every tool that the builds for `targets` want and lack."""
    gap = missing_tools(
        (chains[build.target], _roles(build)) for build in _chosen_builds(project, targets))
    if gap:
        raise gap


def environment(chain: Toolchain, **variables: Any) -> Any:
    """Return an environment of its own for one target, free of SCons' other tools."""
    env = SCons.Environment.Environment(tools=[], **variables)
    install(env, chain)
    return env


@dataclass(frozen=True)
class _Site:
    """Where a project is built."""

    root: Any
    """The node of the project's folder."""
    envs: Mapping[str, Any]
    objects: Dict[str, Any] = field(default_factory=dict)
    """The object nodes declared so far, by path: programs may share one."""


def build_project(project: Project, envs: Mapping[str, Any], root: Any) -> List[Linked]:
    """Declare the builds of `project` for the targets in `envs` and return their nodes.

    `envs` holds an environment per target name; `root` is the node of the project's folder.
    """
    site = _Site(root, envs)
    builds = _chosen_builds(project, [TARGETS[name] for name in envs])
    return [_link(build, site) for build in builds]


def _link(build: Build, site: _Site) -> Linked:
    env, folder = site.envs[build.target], site.root.Dir("build").Dir(build.target)
    variables = _variables(build.settings, site.root)
    parts = [_object(build, source, site, variables) for source in build.sources]
    program = env.AsmProgram(folder.File(build.program), parts, **variables)[0]
    limit = {"ASMAXSIZE": build.max_size} if build.max_size is not None else {}
    check = env.AsmCheck(folder.Dir("check").File(f"{build.program}.json"), program,
                         ASDEBUG=build.settings.debug, **limit)[0]
    return Linked(build, program, check, tuple(parts))


def _object(build: Build, source: str, site: _Site, variables: Mapping[str, Any]) -> Any:
    """Return the object node of a source, the same one for programs that share its settings."""
    path = object_path(build, source)
    if path not in site.objects:
        site.objects[path] = site.envs[build.target].AsmObject(
            site.root.File(path), site.root.File(f"./{source}"), **variables)[0]
    return site.objects[path]


def _variables(settings: Settings, root: Any) -> Dict[str, Any]:
    """Return settings as construction variables."""
    return {
        "ASSEMBLER": settings.assembler or "",
        "ASPATH": [root.Dir(f"./{folder}") for folder in settings.path],
        "ASDEFINES": [(name, _plain(value)) if value else name
                      for name, value in settings.defines],
        "ASDEBUG": settings.debug,
        "ASDEPENDS": [root.File(f"./{name}") for name in settings.depends],
        **{name.upper(): [_plain(flag) for flag in getattr(settings, name)]
           for name in ("asflags", "nasmflags", "gasflags", "clangflags", "linkflags")},
    }


def _plain(text: str) -> str:
    """Return what SCons' substitution turns into `text`."""
    return text.replace("$", "$$")


def _roles(build: Build) -> List[str]:
    """Return the tools that a build starts."""
    target = TARGETS[build.target]
    chosen = (choose_assembler(target, PurePosixPath(source).suffix, build.settings.assembler)
              for source in build.sources)
    return [*(role for assembler in chosen if assembler for role in assembler.roles), "ld"]
