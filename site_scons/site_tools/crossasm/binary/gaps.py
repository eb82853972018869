"""What a stripped program cannot show: the objects of a link in, the calls into nowhere out.

A linker refuses a name that nobody defines, but takes a weak one for address 0 and says nothing;
once the symbols are stripped the program says nothing either.
"""

from __future__ import annotations

from typing import Callable, FrozenSet, List, Mapping, Sequence, Tuple

from ..targets import Target
from . import elf
from .fields import Malformed

__all__ = ["gaps"]

_Names = FrozenSet[str]
_SYMBOLS: Mapping[str, Callable[[bytes], Tuple[_Names, _Names]]] = {"elf": elf.symbols}
"""By format; for Mach-O a weak name is an import, which the check of the program judges."""


def gaps(objects: Sequence[bytes], target: Target) -> List[str]:
    """Return a fault for each weak name that none of `objects` defines.

    Nothing is known when one of them is no object of the target, an archive say.
    """
    if target.format not in _SYMBOLS:
        return []
    try:
        found = [_SYMBOLS[target.format](data) for data in objects]
    except Malformed:
        return []
    defined = {name for names, _ in found for name in names}
    weak = {name for _, names in found for name in names}
    return [f"the weak symbol {name} is defined nowhere, so its address is 0: "
            "define it, or do not name it" for name in sorted(weak - defined)]
