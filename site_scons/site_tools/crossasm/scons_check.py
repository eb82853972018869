"""The binary check as an action: a program node in; faults on standard error, or its facts, out."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Iterator, List, Optional

import SCons.Errors

from . import binary
from .variables import target_of

__all__ = ["check_program", "max_size"]


def max_size(env: Any) -> Optional[int]:
    """Return ``ASMAXSIZE`` in bytes; raises UserError when it is no positive whole number."""
    limit = env.get("ASMAXSIZE")
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or limit <= 0:
        raise SCons.Errors.UserError(
            f"ASMAXSIZE={limit!r}: takes a number of bytes, for example 10 * 1024")
    return limit


def check_program(target: Any, source: Any, env: Any) -> int:
    """Check a program's file and write what it is; say each fault in a line."""
    path, row = Path(source[0].get_abspath()), target_of(env)
    objects = [node.get_contents() for node in source[0].sources]
    report = binary.check(path.read_bytes(), row, name=path.name, max_size=max_size(env),
                          forbidden=_build_paths(env))
    faults = [*report.faults, *binary.gaps(objects, row)]
    for fault in faults:
        sys.stderr.write(f"{source[0]}: {fault}\n")
    if not faults:
        facts = {"program": path.name, "target": row.name, "max_size": max_size(env),
                 **asdict(report)}
        Path(target[0].get_abspath()).write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    return 1 if faults else 0


def _build_paths(env: Any) -> List[str]:
    """Return what must not stand in a program: debug information is let name its folder.

    NASM writes the folder that it runs in into DWARF and has no option to write another.
    """
    return [] if env["ASDEBUG"] else sorted({*_spellings(env)} - {"/", "//"})


def _spellings(env: Any) -> Iterator[str]:
    for path, end in ((env.fs.Top.get_abspath(), ""), (str(Path.home()), "/")):
        yield path + end
        yield os.path.realpath(path) + end
