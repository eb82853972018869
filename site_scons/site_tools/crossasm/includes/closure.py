"""Follow the references of a source through a caller's lookup to every file that it reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Callable, Dict, Generic, List, Mapping, Optional, Sequence, Set, Tuple, TypeVar

from . import gas, nasm
from .pastes import directive_made
from .reference import Dialect, Paste, Reference, Scan
from .search import Folders, candidates, command_line, folders_of

__all__ = ["Closure", "Place", "Tree", "closure"]

Node = TypeVar("Node")


@dataclass(frozen=True)
class Place:
    """A reference and the file that holds it."""

    file: str
    reference: Reference


@dataclass(frozen=True)
class Tree(Generic[Node]):
    """The caller's files: nodes that may be in variant folders, in repositories, not yet built."""

    find: Callable[[str], Optional[Node]]
    """The node of the file that is, or will be, at a path relative to the folder that the
    assembler runs in, or absolute; None when there is none."""
    read: Callable[[Node], Optional[str]]
    """A node's text, undecodable bytes as surrogate escapes; None when it is not built yet."""
    real: Callable[[Node], Optional[Path]]
    """The absolute path of a node's file; None when it is not built yet."""


@dataclass(frozen=True)
class Closure(Generic[Node]):
    """What a source reads, as far as is known."""

    dialect: Dialect
    """That of the source."""
    files: Mapping[str, Node]
    """Path as the assembler opens it, to the caller's node, in the order found; not the source."""
    missing: Tuple[Place, ...] = ()
    """Literal names that are nowhere: in a dead branch, or the assembler will say so."""
    dynamic: Tuple[Place, ...] = ()
    """References whose name only the assembler can tell."""
    unread: Tuple[str, ...] = ()
    """Paths in `files` that are to be read and are not there yet: build them, then ask again."""
    doubt: str = ""
    """Why it cannot be told what is read; empty when all is known."""
    where: Optional[Place] = None
    """The place that the doubt is about."""
    said: str = ""
    """What the assembler wrote to standard error when it was asked."""


@lru_cache(maxsize=4096)
def _scan(text: str, dialect: Dialect) -> Scan:
    """Return all that one text says; remembered by content for the life of the process."""
    return nasm.scan(text) if dialect.syntax == "nasm" else gas.scan(text, dialect)


@dataclass
class _Walk(Generic[Node]):
    """A closure in the making."""

    folders: Folders
    tree: Tree[Node]
    files: Dict[str, Node] = field(default_factory=dict)
    missing: List[Place] = field(default_factory=list)
    dynamic: List[Place] = field(default_factory=list)
    unread: List[str] = field(default_factory=list)
    pastes: List[Tuple[str, Paste]] = field(default_factory=list)
    pieces: Set[str] = field(default_factory=set)
    queue: List[Tuple[str, Node, Dialect]] = field(default_factory=list)
    seen: Set[Tuple[str, str]] = field(default_factory=set)

    def take(self, path: str, text: str, dialect: Dialect) -> None:
        """Follow what one text names."""
        found = _scan(text, dialect)
        self.pastes.extend((path, paste) for paste in found.pastes)
        self.pieces.update(found.pieces)
        for reference in found.references:
            self.follow(path, reference, dialect)

    def follow(self, includer: str, reference: Reference, dialect: Dialect) -> None:
        """Look one reference up, and queue what it leads to."""
        if reference.name is None:
            self.dynamic.append(Place(includer, reference))
            return
        found = False
        for path in candidates(reference.name, reference.search, includer, self.folders):
            node = self.tree.find(path)
            if node is not None:
                found = True
                self.found(path, node, reference, dialect)
                if reference.search != "next":
                    return
        if not found:
            self.missing.append(Place(includer, reference))

    def found(self, path: str, node: Node, reference: Reference, dialect: Dialect) -> None:
        """Note a file, and queue it when the assembler reads it as text."""
        self.files.setdefault(path, node)
        if reference.kind in {"incbin", "probe"}:
            return
        language = dialect.after_cpp if reference.kind == "include" else dialect
        if (path, language.name) not in self.seen:
            self.seen.add((path, language.name))
            self.queue.append((path, node, language))


def closure(
    dialect: Dialect,
    flags: Sequence[str],
    source: Tuple[str, Node],
    tree: Tree[Node],
) -> Closure[Node]:
    """Return every file that `source` leads to, by names that stand in the texts.

    `flags` are those of the preprocessor and of the assembler together; `source` is its path, as
    the command line has it, and its node.
    """
    walk: _Walk[Node] = _Walk(folders_of(flags), tree)
    walk.seen.add((source[0], dialect.name))
    names, text = command_line(dialect, flags)
    for reference in names:
        walk.follow("", reference, dialect)
    walk.take("<command line>", text, dialect)
    walk.queue.insert(0, (source[0], source[1], dialect))
    while walk.queue:
        path, node, language = walk.queue.pop()
        content = tree.read(node)
        if content is None:
            walk.unread.append(path)
        else:
            walk.take(path, content, language)
    return _finish(walk, dialect)


def _finish(walk: _Walk[Node], dialect: Dialect) -> Closure[Node]:
    """Return the closure of a finished walk, with what its macros could put together."""
    dynamic = list(walk.dynamic)
    made = directive_made([paste for _, paste in walk.pastes], walk.pieces)
    if made is not None:
        file = next(path for path, paste in walk.pastes if paste is made)
        dynamic.append(Place(file, Reference("include", None, made.line)))
    return Closure(
        dialect=dialect,
        files=walk.files,
        missing=tuple(walk.missing),
        dynamic=tuple(dynamic),
        unread=tuple(walk.unread),
        doubt="the name of a file that is read here is made by macros" if dynamic else "",
        where=dynamic[0] if dynamic else None,
    )
