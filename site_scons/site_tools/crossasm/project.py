"""The typed data that the stages hand on: what a project holds, free of TOML and of SCons."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Mapping, Optional, Tuple

__all__ = ["Build", "Program", "Project", "Settings", "ToolChoice", "object_path", "object_stem"]


@dataclass(frozen=True)
class Settings:
    """How sources are assembled and linked; one per program and target, fully merged."""

    assembler: Optional[str] = None
    """``gas`` or ``clang`` for ``.s`` and ``.S``; ``None`` takes the target's default."""
    path: Tuple[str, ...] = ()
    """Include folders, searched in order after the project's own folder."""
    defines: Tuple[Tuple[str, str], ...] = ()
    """Name and value; an empty value defines the bare name."""
    asflags: Tuple[str, ...] = ()
    """Flags for every assembler; those below go to one assembler only."""
    nasmflags: Tuple[str, ...] = ()
    gasflags: Tuple[str, ...] = ()
    clangflags: Tuple[str, ...] = ()
    linkflags: Tuple[str, ...] = ()
    debug: bool = False
    """Keep symbols and write debug information."""
    depends: Tuple[str, ...] = ()
    """Files that the sources read and that no scan can find, relative to the project."""


@dataclass(frozen=True)
class Build:
    """One program for one target."""

    program: str
    target: str
    sources: Tuple[str, ...]
    """Relative to the project folder, with forward slashes."""
    settings: Settings = Settings()
    max_size: Optional[int] = None
    """The most bytes that the linked file may have."""
    own_settings: bool = False
    """Whether `settings` differ from those of the target, so that objects cannot be shared."""


@dataclass(frozen=True)
class Program:
    """One program, for the targets that it has sources for."""

    name: str
    summary: str = ""
    builds: Tuple[Build, ...] = ()


@dataclass(frozen=True)
class ToolChoice:
    """What the project says about one target's tools, in place of the candidates built in."""

    prefix: Tuple[str, ...] = ()
    """Prefixes of binutils to try in order, ``""`` for the host's own."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """Tool (``nasm``, ``gas``, ``clang``, ``ld``, ``ar``, ``cpp``) to a program's name or path."""


@dataclass(frozen=True)
class Project:
    """A whole ``crossasm.toml``."""

    root: Path
    """The folder that holds the TOML file; absolute."""
    name: str
    version: str
    license: str = ""
    programs: Tuple[Program, ...] = ()
    toolchains: Mapping[str, ToolChoice] = field(default_factory=dict)
    """Target name to what the project says of its tools."""


def object_path(build: Build, source: str) -> str:
    """Return where the object of one of a build's sources lies, relative to the project.

    Programs without settings of their own share a folder, and the objects of shared sources.
    """
    folder = f"obj-{build.program}" if build.own_settings else "obj"
    return f"build/{build.target}/{folder}/{object_stem(source, build.target)}.o"


def object_stem(source: str, target: str) -> str:
    """Return the path of the object that `source` becomes, below ``obj/`` and without suffix.

    `source` is relative to the project with forward slashes. A leading ``src/<target>/``, or
    else ``src/``, falls away: ``src/x86_64/net/tcp.asm`` becomes ``net/tcp``.
    """
    stem = str(PurePosixPath(source).with_suffix(""))
    for folder in (f"src/{target}/", "src/"):
        if stem.startswith(folder):
            return stem[len(folder):]
    return stem
