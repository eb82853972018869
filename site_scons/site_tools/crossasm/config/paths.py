"""Readers of files and folders named in ``crossasm.toml``, held against the project's folder.

Paths are relative to the project, with forward slashes, and stay inside it, also where a
symbolic link is followed. What they hand on is free of ``.`` and doubled slashes.
"""

# ruff: noqa: PTH110, PTH112, PTH113, PTH114, PTH118, PTH208
# os.path answers False where Path raises: a name that is too long, a NUL, a loop of links.
from __future__ import annotations

import os
import re
from pathlib import PurePath, PurePosixPath
from typing import Callable, Optional, Sequence, Tuple

from ..errors import nearest
from ..targets import TARGETS, Target
from .faults import Place, shown
from .values import string

__all__ = ["depend", "folder", "source", "sources"]

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_GENERATED = ("build",)
"""The folder whose contents come to be during the build: nothing need exist in it before."""


def sources(value: object, place: Place) -> Optional[Tuple[str, ...]]:
    """Read an array of sources for the target that is the last key of `place`."""
    if not isinstance(value, list):
        place.wants(value, "an array of files")
        return None
    if not value:
        place.fault("is empty; name a source, or remove the key")
    taken = [path for path in (source(item, place) for item in value) if path is not None]
    for path in sorted({path for path in taken if taken.count(path) > 1}):
        place.fault(f"{shown(path)} is named twice; remove one")
    return tuple(dict.fromkeys(taken))


def source(value: object, place: Place) -> Optional[str]:
    """Read the path of one source: a regular file that the target has an assembler for."""
    path = _relative(value, place)
    if path is None or not _exists(path, place) or not _inside(path, place):
        return None
    if path[0] in "-@":
        place.fault(f"{shown(path)} begins with '{path[0]}', which an assembler takes for a flag; "
                    "rename it, or put it into a folder")
    target = TARGETS.get(place.keys[-1])
    return path if target is None or _assembles(target, path, place) else None


def folder(value: object, place: Place) -> Optional[str]:
    """Read an include folder; ``{target}`` in it stands for the name of each target."""
    path = _relative(value, place)
    if path is None:
        return None
    unknown = next((each for each in _PLACEHOLDER.findall(path) if each != "{target}"), None)
    if unknown:
        place.fault(f"{shown(path)} holds the unknown placeholder {shown(unknown)}; "
                    "write {target} for the target's name")
        return None
    names = [path.replace("{target}", name) for name in _targets(place)]
    sound = all(_is_folder(name, place) for name in dict.fromkeys(names))
    return path if sound and _some_exist(names, path, place) else None


def depend(value: object, place: Place) -> Optional[str]:
    """Read the path of a file that sources read; it may come to be during the build."""
    path = _relative(value, place)
    if path is None:
        return None
    if os.path.isdir(_full(path, place)):
        place.fault(f"{shown(path)} is a folder; name the files in it that are read")
        return None
    return path if _inside(path, place) else None


def _relative(value: object, place: Place) -> Optional[str]:
    """Return the path without ``.`` and doubled slashes, if it may stand in the file at all."""
    text = string(value, place)
    if text is None:
        return None
    fault = _path_fault(text, place)
    if fault:
        place.fault(fault)
        return None
    return str(PurePosixPath(text))


def _path_fault(text: str, place: Place) -> str:
    faults = (
        (not text, f"is empty; write for example {place.example}"),
        ("\\" in text, f"{shown(text)} holds a backslash; write '/' between folders"),
        ("$" in text, f"{shown(text)} holds '$', which SCons takes for a variable; rename it"),
        (text.startswith("/") or ".." in text.split("/"), _roundabout(text, place)),
        (not _encodes(text),
         f"{shown(text)} cannot be a file's name in this locale; set one with UTF-8"),
    )
    return next((fault for wrong, fault in faults if wrong), "")


def _roundabout(text: str, place: Place) -> str:
    """Say what is wrong with a path that is absolute or holds ``..``."""
    straight = os.path.relpath(os.path.realpath(_full(text, place)), place.root)
    if straight.split("/", 1)[0] == "..":
        return f"{shown(text)} is outside the project; put it into the project's folder"
    return f"{shown(text)} takes a roundabout way; write {shown(straight)}"


def _encodes(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _full(path: str, place: Place) -> str:
    return os.path.join(place.root, path)


def _inside(path: str, place: Place) -> bool:
    real = PurePath(os.path.realpath(_full(path, place)))
    if real.is_relative_to(os.path.realpath(place.root)):
        return True
    place.fault(f"{shown(path)} is outside the project, by a symbolic link; "
                "put what it leads to into the project's folder")
    return False


def _exists(path: str, place: Place) -> bool:
    full = _full(path, place)
    if os.path.isfile(full):
        return True
    if os.path.isdir(full):
        place.fault(f"{shown(path)} is a folder; name the files in it")
    elif os.path.exists(full):
        place.fault(f"{shown(path)} is no regular file; name a source")
    elif os.path.islink(full):
        place.fault(f"{shown(path)} is a symbolic link that leads nowhere; mend it")
    else:
        place.fault(f"{shown(path)} does not exist{_neighbour(path, place, os.path.isfile)}")
    return False


def _neighbour(path: str, place: Place, fits: Callable[[str], bool]) -> str:
    """Return the hint for an absent path: the nearest name where it first goes wrong.

    `fits` tells whether a name there is of the kind that the whole path should be.
    """
    *folders, name = PurePosixPath(path).parts
    above = ""
    for part in folders:
        if not os.path.isdir(_full(f"{above}{part}", place)):
            return _hint(part, _full(above, place), os.path.isdir)
        above = f"{above}{part}/"
    return _hint(name, _full(above, place), fits)


def _hint(name: str, directory: str, fits: Callable[[str], bool]) -> str:
    try:
        names = [each for each in os.listdir(directory)
                 if each.isprintable() and fits(os.path.join(directory, each))]
    except OSError:
        names = []
    return nearest(name, names, otherwise="; create it, or correct the path")


def _assembles(target: Target, path: str, place: Place) -> bool:
    suffix = PurePosixPath(path).suffix
    if suffix in target.assemblers:
        return True
    place.fault(f"{shown(path)}: {target.name} has no assembler for the suffix {shown(suffix)}; "
                f"it takes {', '.join(sorted(target.assemblers))}")
    return False


def _targets(place: Place) -> Tuple[str, ...]:
    """Return the targets that the table of this place is for; all, unless it names one."""
    return next(((key,) for key in place.keys[-2:] if key in TARGETS), tuple(TARGETS))


def _is_folder(name: str, place: Place) -> bool:
    full = _full(name, place)
    if os.path.isfile(full):
        place.fault(f"{shown(name)} is a file; name the folder that it is in")
        return False
    return not os.path.exists(full) or _inside(name, place)


def _some_exist(names: Sequence[str], path: str, place: Place) -> bool:
    generated = PurePosixPath(path).parts[:1] == _GENERATED
    if generated or any(os.path.isdir(_full(name, place)) for name in names):
        return True
    absent = "exists for no target" if "{target}" in path else "does not exist"
    place.fault(f"{shown(path)} {absent}{_neighbour(path, place, os.path.isdir)}")
    return False
