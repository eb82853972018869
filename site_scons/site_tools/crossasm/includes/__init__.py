"""What a NASM or GAS source reads: a source and a lookup in, every file that it leads to out.

How a builder calls it, on every run, for it keeps nothing between runs::

    dialect = DIALECTS["cpp-gas-x86"]
    tree = Tree(find, read, real)
    found = closure(dialect, flags, (path, node), tree)
    if found.dynamic and not found.unread:
        found = ask(found, flags, (path, node), tree, run)

`found.files` are the dependencies, by the path at which the assembler opens each. While
`found.unread` is not empty, files are still to be built: build them and call again. When
`found.doubt` is not empty after that, it cannot be told what is read: the object must not be kept,
unless the project names the files in ``depends``. `found.where` says where: `file`, and
`reference.line`. The names that nothing matches (`found.missing`) are no fault here: they stand in
a dead branch, or the assembler will say so itself.

A file that appears earlier on the include path than the one used before is found because all is
looked up anew on every run.
"""

from .closure import Closure, Place, Tree, closure
from .oracle import ask, wanted
from .reference import DIALECTS, Dialect, Reference

__all__ = [
    "DIALECTS", "Closure", "Dialect", "Place", "Reference", "Tree", "ask", "closure", "wanted",
]
