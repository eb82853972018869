"""Ask the assembler which files it reads, where names are made by macros.

The assembler is run, with the very command that will make the object, in a folder that holds
links to the files known so far and nothing else. Every assembler goes on after a file that it
cannot find and names it, so each name is looked up in the project, the files found are added, and
the assembler is run again, until it is content: then all that it read is known. Nothing is
guessed about macros, conditionals or symbol values.
"""

from __future__ import annotations

import posixpath
import re
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable, Dict, Generic, Iterator, List, Sequence, Set, Tuple, TypeVar

from .closure import Closure, Place, Tree
from .reference import Reference
from .search import Folders, candidates, folders_of

__all__ = ["ask", "wanted"]

Node = TypeVar("Node")

_DEPTH = 16
"""How many folders up a name may lead with ``../`` and still be seen."""

_SAID = tuple((re.compile(pattern), search) for pattern, search in (
    (r"(?i).*?error: unable to open include file `(?P<name>.*)': No such file", "path"),
    (r"(?i).*?error: `incbin': unable to (?:get length of|open) file `(?P<name>.*)'", "path"),
    (r"(?i).*?error: can't open (?P<name>.*) for reading: No such file", "path"),
    (r"(?i).*?error: file not found: (?P<name>.*)", "path"),
    (r"(?i).*?error: could not find (?:include|incbin) file '(?P<name>.*)'", "path"),
    (r"(?P<file>.*?):\d+:\d+: (?:fatal )?error: '(?P<name>.*)' file not found", "quote"),
    (r"(?P<file>.*?):\d+:\d+: (?:fatal )?error: (?P<name>.*): No such file or directory", "quote"),
))
"""What nasm, as, clang's assembler, clang's and gcc's preprocessors say of a file not found."""


def wanted(said: str) -> Tuple[Place, ...]:
    """Return the names that standard error says were not found, each with the file that asked.

    The file is known, and matters, for the C preprocessor only; it is empty for the assemblers.
    """
    places: Dict[Place, None] = {}
    for line in said.splitlines():
        for pattern, search in _SAID:
            match = pattern.match(line)
            if match:
                file = match.groupdict().get("file") or ""
                places[Place(file, Reference("include", match["name"], 0, search))] = None
                break
    return tuple(places)


@dataclass
class _Sandbox(Generic[Node]):
    """A folder that holds links to some of the project's files, at the paths that they have."""

    folder: Path
    """Where the assembler runs."""
    folders: Folders
    tree: Tree[Node]
    files: Dict[str, Node] = field(default_factory=dict)
    unread: List[str] = field(default_factory=list)

    def add(self, path: str, node: Node) -> bool:
        """Link a file, and each file that hides it under one of its names; False when known."""
        if path in self.files:
            return False
        self.files[path] = node
        self._link(path, node)
        for other in self._names(path):
            hiding = self.tree.find(other)
            if hiding is not None:
                self.add(other, hiding)
        return True

    def add_all(self, known: Sequence[Tuple[str, Node]]) -> None:
        """Link files until none that they bring along is new, whatever the order."""
        count = -1
        for path, node in known:
            self.add(path, node)
        while count != len(self.files):
            count = len(self.files)
            for path in tuple(self.files):
                for other in self._names(path):
                    hiding = self.tree.find(other)
                    if hiding is not None:
                        self.add(other, hiding)

    def _names(self, path: str) -> Iterator[str]:
        """Return the paths at which a name that reaches `path` here is looked for before it."""
        plain = posixpath.normpath(path)
        starts = {*self.folders.path, *self.folders.quote, *self.folders.after}
        owners = {posixpath.dirname(known) for known in self.files}
        for start in {"", *starts, *owners}:
            base = posixpath.normpath(start) if start else "."
            name = plain if base == "." else plain[len(base) + 1:] \
                if plain.startswith(f"{base}/") else ""
            if not name:
                continue
            for owner in owners:
                yield from candidates(name, "quote", f"{owner}/_" if owner else "_", self.folders)
            yield from candidates(name, "path", "", self.folders)

    def _link(self, path: str, node: Node) -> None:
        """Put a link to a file where the assembler will look for it."""
        target = self.tree.real(node)
        if target is None:
            self.unread.append(path)
            return
        if path.startswith("/"):
            return  # it is read where it is
        here = self.folder
        for part in path.split("/")[:-1]:
            here = here.parent if part == ".." else here / part
            here.mkdir(exist_ok=True)
        place = here / path.rsplit("/", 1)[-1]
        if not place.is_symlink():
            place.symlink_to(target)


def ask(
    found: Closure[Node],
    flags: Sequence[str],
    source: Tuple[str, Node],
    tree: Tree[Node],
    run: Callable[[Path], Tuple[int, str]],
) -> Closure[Node]:
    """Return `found` with every file that the assembler reads, or with a doubt that says why not.

    `flags`, `source` and `tree` are those of `closure`. `run` runs the commands that make the
    object in the folder given, writing it nowhere or to a folder that it makes there, stops at
    the first that fails, and returns its exit status and what all wrote to standard error.
    """
    folders = folders_of(flags)
    outside = [folder for folder in folders.path if folder.startswith("/")]
    if outside:
        return replace(found, doubt=(
            f"a name made by macros could be looked for in {outside[0]}, an absolute folder"))
    with tempfile.TemporaryDirectory(prefix="crossasm-") as top:
        folder = Path(top, *["d"] * _DEPTH)
        folder.mkdir(parents=True)
        box = _Sandbox(folder, folders, tree)
        return _ask(box, found, source, run)


def _ask(
    box: _Sandbox[Node], found: Closure[Node], source: Tuple[str, Node],
    run: Callable[[Path], Tuple[int, str]],
) -> Closure[Node]:
    box.add_all([source, *found.files.items()])
    status, said = 1, ""
    missing: Set[Place] = set()
    while not box.unread:
        status, said = run(box.folder)
        missing = set(wanted(said))
        if not [place for place in missing if _supply(box, place)]:
            break
    files = {path: node for path, node in box.files.items() if path != source[0]}
    doubt = ""
    if box.unread:
        doubt = "a file that is read here is not built yet"
    elif status != 0:
        doubt = "the assembler could not be asked which files it reads"
    return replace(
        found, files=files, unread=tuple({*found.unread, *box.unread}), doubt=doubt, said=said,
        missing=(*found.missing, *sorted(missing, key=str)))


def _supply(box: _Sandbox[Node], place: Place) -> bool:
    """Link what a missing name leads to; False when there is nothing new that it leads to."""
    name = place.reference.name or ""
    for path in candidates(name, place.reference.search, place.file, box.folders):
        node = box.tree.find(path)
        if node is not None:
            before = len(box.files)
            box.add_all([(path, node)])
            return len(box.files) > before
    return False
