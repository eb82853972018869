"""Check a linked program: its bytes and its target in, what is wrong with it out.

The formats are read in `elf`, `macho`, `fixups` and `codesign`, which name their sources, and
judged in `elf_rules` and `macho_rules`; here stands what holds for both.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence, Set, Tuple

from ..targets import TARGETS, Target
from . import elf, elf_rules, macho, macho_rules
from .fields import Malformed, shown
from .verdict import Report, Segment

__all__ = ["check"]

_NAME_BYTES = b"-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_FORMATS: Mapping[str, Tuple[Callable[[bytes], Any], Callable[[bytes, Any, Target], Report]]] = {
    "elf": (elf.read_header, elf_rules.judge),
    "macho": (macho.read_header, macho_rules.judge),
}
_PAGES = {"elf": elf_rules.PAGE, "macho": macho_rules.PAGE}


def check(data: bytes, target: Target, *, name: str, max_size: Optional[int],
          forbidden: Sequence[str] = ()) -> Report:
    """Return the faults of a linked program, called `name` in remedies, and facts about it.

    `max_size` is in bytes. `forbidden` are absolute paths of the machine that builds, none of
    which may stand in the file; ``/`` and relative paths are passed over, for they say nothing.
    """
    try:
        report = _judged(data, target)
    except Malformed as fault:
        report = Report((f"{fault}: link it again for {target.name}",), len(data))
    faults = (*report.faults, *_writable_code(report.segments),
              *_overlaps(report.segments, _PAGES[target.format]),
              *_too_large(len(data), name, max_size), *_paths(data, forbidden))
    return replace(report, faults=faults)


def _judged(data: bytes, target: Target) -> Report:
    """Return what the rules of the target's format say; raises Malformed for damage."""
    read_header, judge = _FORMATS[target.format]
    header = read_header(data)
    wrong = _misfit(header.bits, header.order, header.machine, target)
    return Report((wrong,), len(data)) if wrong else judge(data, header, target)


def _misfit(bits: int, order: str, machine: int, target: Target) -> str:
    """Return the fault of a program for another target, or nothing."""
    if (bits, order, machine) == (target.bits, "<", target.machine):
        return ""
    known = [row.name for row in TARGETS.values()
             if (bits, order, machine, target.format) == (row.bits, "<", row.machine, row.format)]
    end = "little" if order == "<" else "big"
    made = known[0] if known else f"machine {machine:#x}, {bits}-bit, {end}-endian"
    return f"made for {made}, not {target.name}: assemble and link it for {target.name}"


def _overlaps(segments: Sequence[Segment], page: int) -> Iterator[str]:
    """Yield which segments share memory, or a page of it that cannot be mapped for both."""
    parts = sorted((part for part in segments if part.size), key=lambda part: part.address)
    for low, high in zip(parts, parts[1:]):
        if high.address < low.end:
            yield (f"segments at {low.address:#x} and {high.address:#x} overlap: "
                   "link it with the two apart")
        elif (low.end - 1) // page == high.address // page and (
                low.rights != high.rights
                or low.address - low.offset != high.address - high.offset):
            yield (f"segments at {low.address:#x} ({low.rights}) and {high.address:#x} "
                   f"({high.rights}) share a page: link it with -z max-page-size={page:#x}")


def _writable_code(segments: Sequence[Segment]) -> Iterator[str]:
    for part in segments:
        if any("w" in marks and "x" in marks for marks in (part.rights, part.most)):
            place = f"{part.name} at {part.address:#x}" if part.name else f"at {part.address:#x}"
            yield (f"segment {place} is writable and executable: "
                   "keep code and data in sections of their own, and link without -N or -segprot")


def _too_large(size: int, name: str, most: Optional[int]) -> Iterator[str]:
    if most is not None and size > most:
        yield (f"{size:,} bytes, {size - most:,} over max_size of {most:,}: "
               f"make {name} smaller, or raise its max_size")


def _paths(data: bytes, forbidden: Sequence[str]) -> Iterator[str]:
    """Yield a fault for each path that stands in the file; one inside another counts once."""
    seen: Set[int] = set()
    wanted = {path.rstrip("/") for path in forbidden if path.startswith("/")} - {""}
    for path in sorted(wanted, key=lambda path: (-len(path), path)):
        raw = path.encode("utf-8", "surrogateescape")
        places = [at for at in _places(data, raw) if at not in seen]
        seen.update(places)
        if places:
            found = re.match(rb"[!-~\x80-\xff]*", data[places[0]:places[0] + 4096])
            whole = shown(found[0] if found else raw)
            more = f" and {len(places) - 1:,} more times" if places[1:] else ""
            yield (f"'{whole}' at offset {places[0]:#x}{more} is a path of the machine that built "
                   "it: name files relative to the project")


def _places(data: bytes, raw: bytes) -> Iterator[int]:
    """Yield where a path stands whole: not the start of a longer name, nor a longer path's end."""
    for match in re.finditer(re.escape(raw) + rb"(?![\w-]|\.+[\w-])", data):
        text = data[max(0, match.start() - 256):match.start()]
        outer = text.rstrip(_NAME_BYTES)
        if outer == text or not outer.endswith(b"/"):
            yield match.start()


