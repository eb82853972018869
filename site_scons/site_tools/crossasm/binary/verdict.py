"""What a check of a linked program finds: its faults, and facts for a summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

__all__ = ["Report", "Segment", "rights"]


@dataclass(frozen=True)
class Segment:
    """A range of the file and the range of memory that it is mapped to; all in bytes."""

    address: int
    size: int
    """Bytes in memory; those beyond `file_size` are zero at start."""
    rights: str
    """As ``r-x``."""
    offset: int
    file_size: int
    name: str = ""
    most: str = ""
    """The rights that it may be given later, where the format limits them."""

    @property
    def end(self) -> int:
        """The address after its last byte."""
        return self.address + self.size

    @property
    def file_end(self) -> int:
        """The offset after its last byte in the file."""
        return self.offset + self.file_size


@dataclass(frozen=True)
class Report:
    """What a check found."""

    faults: Tuple[str, ...]
    """Each one line, without the file's name: what is wrong, and what to do."""
    size: int
    """Bytes of the file."""
    entry: Optional[int] = None
    """The address that it starts at, before any sliding."""
    segments: Tuple[Segment, ...] = ()
    libraries: Tuple[str, ...] = ()
    imports: Tuple[str, ...] = ()
    """Symbols that somebody else is to define."""
    system: str = ""
    """The oldest system that it says it runs on, as ``macOS 11.0``; ELF does not say."""


def rights(*, read: int, write: int, execute: int) -> str:
    """Return rights as they are commonly written, ``r-x``."""
    return ("r" if read else "-") + ("w" if write else "-") + ("x" if execute else "-")
