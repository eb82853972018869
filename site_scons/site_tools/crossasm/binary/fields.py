"""The bytes of a linked file, read field by field and never beyond their end."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Iterator, Sequence, Tuple

__all__ = ["Fields", "Malformed", "listed", "shown"]

_SHOWN = 80
_NAME = 256


class Malformed(Exception):  # noqa: N818 - it says what the file is
    """A file that is not what its own fields say, as one line without a remedy."""


@dataclass(frozen=True)
class Fields:
    """Some bytes, and the order of those in a number: ``<`` or ``>`` as in `struct`."""

    data: bytes
    order: str = "<"

    def within(self, offset: int, size: int, what: str) -> None:
        """Raise Malformed unless `size` bytes stand at `offset`."""
        if offset + size > len(self.data):
            raise Malformed(f"cut short or damaged: {what} should end at byte {offset + size:,} "
                            f"of {len(self.data):,}")

    def read(self, layout: str, offset: int, what: str) -> Tuple[Any, ...]:
        """Return the numbers of one `struct` layout; raises Malformed when cut short."""
        layout = self.order + layout
        self.within(offset, struct.calcsize(layout), what)
        return struct.unpack_from(layout, self.data, offset)

    def table(self, layout: str, offset: int, size: int, what: str) -> Iterator[Tuple[Any, ...]]:
        """Yield the whole rows of `layout` in `size` bytes; raises Malformed when cut short."""
        self.within(offset, size, what)
        layout = self.order + layout
        whole = size - size % struct.calcsize(layout)
        return struct.iter_unpack(layout, self.data[offset:offset + whole])

    def part(self, offset: int, size: int, what: str) -> Fields:
        """Return `size` bytes at `offset` as fields of their own; raises Malformed."""
        self.within(offset, size, what)
        return Fields(self.data[offset:offset + size], self.order)

    def text(self, offset: int) -> str:
        """Return the name at `offset`, up to its NUL, fit to stand in a message."""
        return shown(self.data[offset:offset + _NAME].split(b"\0", 1)[0])


def shown(raw: bytes) -> str:
    """Return bytes as text on one line, whatever they hold, cut to a length that can be read."""
    text = raw.decode("utf-8", "backslashreplace")
    line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return the first `most` names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
