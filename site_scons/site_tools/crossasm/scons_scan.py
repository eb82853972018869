"""The scanner: a source node in; nodes of every file that assembling it reads, out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

import SCons.Scanner
import SCons.Script

from . import includes
from .run import run
from .variables import assembler_for, command_names, target_of

__all__ = ["SCANNER", "doubt_about"]


class _Asking:
    """The target that a scan is for; new for each scan.

    SCons remembers a scan by its path argument. What a file includes may change while the build
    runs, when it is generated, so no scan may stand for a later one.
    """

    def __init__(self, env: Any, _dir: Any, target: Sequence[Any], source: Any,
                 _argument: Any = None) -> None:
        self.target = target


def doubt_about(target: Any) -> List[str]:
    """Return a line for the first file of `target` that cannot be told, or nothing."""
    return list(getattr(target.attributes, "crossasm_doubt", ()))


def _scan(node: Any, env: Any, asking: _Asking) -> List[Any]:
    """Return the nodes that `node` leads to, and note on its target what cannot be told."""
    assembler = assembler_for(env, node)
    dialect = includes.DIALECTS[target_of(env).dialects[assembler.name]]
    lines = _command_lines(node, env, asking.target)
    flags = [word for line in lines for word in line[1:]]
    source = (str(node.rfile()), node)
    tree = includes.Tree(lambda path: _find(env, path), _read, _real)
    found = includes.closure(dialect, flags, source, tree)
    if found.dynamic and not found.unread and not SCons.Script.GetOption("clean"):
        found = includes.ask(found, flags, source, tree,
                             lambda folder: _assemble_in(folder, lines, env))
    declared = env.Flatten(env["ASDEPENDS"])
    asking.target[0].attributes.crossasm_doubt = (
        [_doubt(found)] if found.doubt and not found.unread and not declared else [])
    return _remembered(node, found, env)


def _remembered(source: Any, found: includes.Closure[Any], env: Any) -> List[Any]:
    """Return the nodes found, with their names, and have their contents signed now.

    SCons' signatures hold contents alone. Names count too: the same bytes found at another place
    may mean another object. And what is edited while the assembler reads must differ afterwards.
    """
    nodes = list(dict.fromkeys(found.files.values()))
    for node in (source, *nodes):
        if node.exists() and not node.is_derived():
            node.get_csig()
    return [*nodes, env.Value(f"read as: {', '.join(found.files)}")] if nodes else []


def _doubt(found: includes.Closure[Any]) -> str:
    place = found.where or found.dynamic[0]
    said = found.said.strip().splitlines()
    why = f"{found.doubt} ({said[-1]})" if said else found.doubt
    return (f"{place.file}:{place.reference.line}: cannot tell which file is read here: {why}; "
            "name each file that it may be in 'depends' (ASDEPENDS)")


def _command_lines(node: Any, env: Any, target: Sequence[Any]) -> List[List[str]]:
    """Return the commands that make the object, with a plain name in place of the object's own."""
    plain = env.Override({"ASLAUNCHER": ""})
    own = str(target[0])
    lines: List[List[str]] = []
    for name in command_names(env, node):
        commands = plain.subst_list(f"${name}", target=target, source=[node])
        lines += [[_renamed(str(word), own) for word in words] for words in commands]
    for line in lines:
        line[0] = _program(line[0], env)
    return lines


def _program(word: str, env: Any) -> str:
    """Return the first word of a command as it can be run from another folder."""
    plain = word.lstrip("@-")  # SCons' own marks: silent, and never mind the status
    return os.path.join(env.fs.Top.get_abspath(), plain) if "/" in plain else plain  # noqa: PTH118


def _renamed(word: str, own: str) -> str:
    return f"object{word[len(own):]}" if word in (own, f"{own}.s") else word


def _assemble_in(folder: Path, lines: Sequence[Sequence[str]], env: Any) -> Tuple[int, str]:
    """Run the commands in `folder` up to the first that fails; return its status and all errors."""
    said = ""
    for line in lines:
        done = run(line, env={**env["ENV"], "LC_ALL": "C"}, folder=folder)
        said += done.errors
        if done.status:
            return done.status, said
    return 0, said


def _find(env: Any, path: str) -> Optional[Any]:
    """Return the node of the file that is or will be at this very `path`, or None.

    A repository's file is no answer: the assembler sees it only by a path of its own.
    """
    folder, name = os.path.split(path)
    if ".." in folder.split("/"):  # which leads from where a link goes, not from where it stands
        folder = os.path.realpath(os.path.join(env.fs.Top.get_abspath(), folder))  # noqa: PTH118
    try:
        directory = env.fs.Top.Dir(f"./{folder}" if folder[:1] != "/" else folder)
        # A leading # would lead to the top: that is SCons' language, not the assembler's.
        node = (directory.File(f"./{name}") if name.startswith("#")
                else directory.srcdir_find_file(name)[0])
    except TypeError:  # a file stands where the path has a folder
        return None
    there = node is not None and node.dir is directory and (node.is_derived() or node.exists())
    return node.disambiguate() if there else None


def _read(node: Any) -> Optional[str]:
    there = node.rfile()
    if not there.exists():
        return None
    return str(there.get_contents().decode("utf-8", "surrogateescape"))  # as file names are


def _real(node: Any) -> Optional[Path]:
    there = node.rfile()
    return Path(there.get_abspath()) if there.exists() else None


SCANNER = SCons.Scanner.Scanner(_scan, name="crossasm", path_function=_Asking,
                                node_class=None)
