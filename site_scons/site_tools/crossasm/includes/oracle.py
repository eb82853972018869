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
from typing import Callable, Dict, Generic, Iterable, Iterator, List, Sequence, Set, Tuple, TypeVar

from .closure import Closure, Place, Tree, closure
from .reference import Dialect, Reference
from .search import Folders, candidates, folders_of

__all__ = ["ask", "wanted"]

Node = TypeVar("Node")

_DEPTH = 16
"""How many folders up a name may lead with ``../`` and still be seen."""

_SAID = tuple((re.compile(pattern), kind) for pattern, kind in (
    (r"(?i).*?error: unable to open include file `(?P<name>.*)': No such file", "include"),
    (r"(?i).*?error: `incbin': unable to (?:get length of|open) file `(?P<name>.*)'", "incbin"),
    (r"(?i).*?error: can't open (?P<name>.*) for reading: No such file", "include"),
    (r"(?i).*?error: file not found: (?P<name>.*)", "incbin"),
    (r"(?i).*?error: could not find include file '(?P<name>.*)'", "include"),
    (r"(?i).*?error: could not find incbin file '(?P<name>.*)'", "incbin"),
    (r"(?P<file>.*?):\d+:\d+: (?:fatal )?error: '(?P<name>.*)' file not found", "cpp"),
    (r"(?P<file>.*?):\d+:\d+: (?:fatal )?error: (?P<name>.*): No such file or directory", "cpp"),
))
"""What nasm, as, clang's assembler, clang's and gcc's preprocessors say of a file not found."""


def wanted(said: str) -> Tuple[Place, ...]:
    """Return the names that standard error says were not found, each with the file that asked.

    The file is known, and matters, for the C preprocessor only; it is empty for the assemblers.
    """
    places: Dict[Place, None] = {}
    for line in said.splitlines():
        for pattern, kind in _SAID:
            match = pattern.match(line)
            if match:
                file = match.groupdict().get("file") or ""
                search = "quote" if kind == "cpp" else "path"
                places[Place(file, Reference(kind, match["name"], 0, search))] = None
                break
    return tuple(places)


@dataclass
class _Sandbox(Generic[Node]):
    """A folder that holds links to some of the project's files, at the paths that they have."""

    folder: Path
    """Where the assembler runs."""
    folders: Folders
    flags: Sequence[str]
    tree: Tree[Node]
    dialect: Dialect
    files: Dict[str, Node] = field(default_factory=dict)
    asked: Set[Tuple[str, str, str]] = field(default_factory=set)
    scanned: Set[str] = field(default_factory=set)
    probes: List[Place] = field(default_factory=list)
    """Where a text asks whether there is a file, by a name that macros make."""
    unread: List[str] = field(default_factory=list)

    def add(self, known: Iterable[Tuple[str, Node]]) -> bool:
        """Link files, what their texts name, and each file that hides one of them.

        What hides a file under one of its names must be here, or that name would lead elsewhere
        than in the project. Returns whether any file was new.
        """
        before = len(self.files)
        for path, node in known:
            self._link(path, node)
        count = -1
        while count != len(self.files):
            count = len(self.files)
            for path in tuple(self.files):
                for question in set(self._names(path)) - self.asked:
                    self.asked.add(question)
                    self.look_up(*question)
            for path in [path for path in self.files if path not in self.scanned]:
                self._scan(path)
        return len(self.files) > before

    def _scan(self, path: str) -> None:
        """Link what a text names; it may be for the preprocessor or for the assembler alone."""
        self.scanned.add(path)
        for dialect in {self.dialect, self.dialect.after_cpp}:
            found = closure(dialect, self.flags, (path, self.files[path]), self.tree)
            self.probes += [place for place in found.dynamic if place.reference.kind == "probe"]
            for name, node in found.files.items():
                self.scanned.add(name)
                self._link(name, node)

    def look_up(self, name: str, owner: str, search: str) -> List[Tuple[str, Node]]:
        """Link the file that a name leads to in the project; return it, and where it is."""
        for path in candidates(name, search, owner, self.folders):
            node = self.tree.find(path)
            if node is not None:
                self._link(path, node)
                return [(path, node)]
        return []

    def _names(self, path: str) -> Iterator[Tuple[str, str, str]]:
        """Yield each name by which something could lead to `path` here: name, includer, search."""
        plain = posixpath.normpath(path)
        owners = {posixpath.dirname(posixpath.normpath(known)) for known in self.files} \
            if self.dialect.preprocessed else set()
        starts = {posixpath.normpath(folder or ".") for folder in (*self.folders.all, "", *owners)}
        for start in starts:
            prefix = "" if start == "." else f"{start}/"
            if plain.startswith(prefix) and not plain.startswith(f"{prefix}../"):
                name = plain[len(prefix):]
                yield name, "", "path"
                if self.dialect.preprocessed:
                    yield name, "", "angle"
                    yield from ((name, posixpath.join(owner, "_"), "quote") for owner in owners)

    def _link(self, path: str, node: Node) -> None:
        """Put a link to a file where the assembler will look for it."""
        if path in self.files:
            return
        self.files[path] = node
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
    object in the folder given, stops at the first that fails, and returns its exit status and what
    all wrote to standard error. The folders of relative paths in `flags` are there, to write to.
    """
    folders = folders_of(flags)
    outside = [folder for folder in folders.path if folder.startswith("/")]
    if outside:
        return replace(found, doubt=(
            f"a name made by macros could be looked for in {outside[0]}, an absolute folder"))
    with tempfile.TemporaryDirectory(prefix="crossasm-") as top:
        folder = Path(top, *["d"] * _DEPTH)
        folder.mkdir(parents=True)
        for word in flags:
            if "/" in word and not word.startswith(("/", "-")) and ".." not in word:
                Path(folder, word).parent.mkdir(parents=True, exist_ok=True)
        box = _Sandbox(folder, folders, flags, tree, found.dialect)
        return _ask(box, found, source, run)


def _ask(
    box: _Sandbox[Node], found: Closure[Node], source: Tuple[str, Node],
    run: Callable[[Path], Tuple[int, str]],
) -> Closure[Node]:
    box.scanned.update([source[0], *found.files])
    box.probes += [place for place in found.dynamic if place.reference.kind == "probe"]
    box.add([source, *found.files.items()])
    status, said = 1, ""
    missing: Tuple[Place, ...] = ()
    while not box.unread and not box.probes:
        status, said = run(box.folder)
        missing = wanted(said)
        if not box.add(pair for place in missing for pair in box.look_up(
                place.reference.name or "", place.file, place.reference.search)):
            break
    doubt = ""
    if box.unread:
        doubt = "a file that is read here is not built yet"
    elif box.probes:
        doubt = "whether a file is there is asked by a name that macros make"
    elif status != 0:
        doubt = "the assembler could not be asked which files it reads"
    return replace(
        found, doubt=doubt, said=said,
        where=box.probes[0] if box.probes else found.where,
        missing=(*found.missing, *missing),
        files={path: node for path, node in box.files.items() if path != source[0]},
        unread=tuple(dict.fromkeys((*found.unread, *box.unread))))
