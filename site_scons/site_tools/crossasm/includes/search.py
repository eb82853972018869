"""Where an assembler looks for a name: its include folders, and the paths to try in order."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Iterator, List, Sequence, Tuple

from .reference import Dialect, Reference

__all__ = ["Folders", "candidates", "command_line", "folders_of"]


_CPP_INCLUDES = ("-include", "-imacros", "--include", "--imacros")


@dataclass(frozen=True)
class Folders:
    """The include folders of a command line, in the order in which they are searched."""

    path: Tuple[str, ...] = ()
    """For every assembler: -I."""
    quote: Tuple[str, ...] = ()
    """For ``#include "…"`` before `path`: -iquote."""
    after: Tuple[str, ...] = ()
    """For ``#include`` after `path`: -isystem, -idirafter."""

    @property
    def all(self) -> Tuple[str, ...]:
        return (*self.quote, *self.path, *self.after)


def candidates(name: str, search: str, includer: str, folders: Folders) -> Iterator[str]:
    """Return the paths at which a name is looked for, first the one that is taken first.

    They are relative to the folder that the assembler runs in, or absolute. `includer` is the
    path of the file that holds the reference; only ``#include "…"`` minds where that lies.
    """
    if name.startswith("/"):
        yield name
        return
    if search == "path":
        yield name
    if search in {"quote", "next"}:
        yield posixpath.join(posixpath.dirname(includer), name)
        yield from (posixpath.join(folder, name) for folder in folders.quote)
    yield from (posixpath.join(folder, name) for folder in folders.path)
    if search != "path":
        yield from (posixpath.join(folder, name) for folder in folders.after)


def command_line(dialect: Dialect, flags: Sequence[str]) -> Tuple[Tuple[Reference, ...], str]:
    """Return the files that flags name, and the text that they put before the source.

    NASM: -p, -P, --include, --before, -d, -D, -@. cpp: -include, -imacros, -D. Every one: @file.
    """
    nasm = dialect.syntax == "nasm"
    named: Tuple[str, ...] = ("-p", "-P", "--include") if nasm else _CPP_INCLUDES
    kind, search = ("include", "path") if nasm else ("cpp", "quote")
    if not nasm and not dialect.preprocessed:
        named = ()
    names = [Reference(kind, name, 0, search) for name in _values(flags, *named)]
    names += [Reference("probe", flag[1:], 0) for flag in flags if flag.startswith("@")]
    names += [Reference("probe", name, 0) for name in (_values(flags, "-@") if nasm else ())]
    texts = [*_values(flags, "--before")] if nasm else []
    texts += [value.partition("=")[2] for value in _values(flags, "-D", "-d")]
    return tuple(names), "\n".join(texts)


def folders_of(flags: Sequence[str]) -> Folders:
    """Return the include folders that flags give, also those inside -Wa, and after -Xassembler."""
    return Folders(
        path=_values(flags, "-I", "-i", "--include-directory"),
        quote=_values(flags, "-iquote"),
        after=_values(flags, "-isystem", "-idirafter"),
    )


def _values(flags: Sequence[str], *options: str) -> Tuple[str, ...]:
    """Return the values of options, written ``-Xvalue``, ``-X value`` or ``--long=value``."""
    words = _split(flags)
    values: List[str] = []
    for index, word in enumerate(words):
        for option in options:
            if word == option:
                values += words[index + 1:index + 2]
            elif word.startswith(f"{option}="):
                values.append(word[len(option) + 1:])
            elif word.startswith(option) and _may_join(word, option):
                values.append(word[len(option):])
    return tuple(values)


def _may_join(word: str, option: str) -> bool:
    """Tell whether a value may stand right after an option: after one letter, or -iquote's kind."""
    longer = ("-include", "-imacros", "-iquote", "-isystem", "-idirafter")
    if option in longer:
        return True
    if option == "-i":  # NASM's; these are clang's
        return not word.startswith((*longer, "-iprefix", "-iwith", "-isysroot", "-iframework"))
    return len(option) == 2 and not word.startswith("--")


def _split(flags: Sequence[str]) -> List[str]:
    """Take apart what ``-Wa,…`` and ``-Wp,…`` hold, and drop the words that only pass on."""
    words: List[str] = []
    for flag in flags:
        if flag.startswith(("-Wa,", "-Wp,")):
            words.extend(flag.split(",")[1:])
        elif flag not in {"-Xassembler", "-Xpreprocessor", "-Xclang"}:
            words.append(flag)
    return words
