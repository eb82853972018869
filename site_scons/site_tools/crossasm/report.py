"""What a build tells while it runs and at its end: counted lines, then a table of sizes."""

from __future__ import annotations

from typing import Iterable, Optional, Sequence, Tuple

__all__ = ["Counter", "size_table"]


class Counter:
    """Counts the steps of a build that are behind it, of those that it has."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    def step(self) -> None:
        """Note one more step done, or found not to need doing."""
        self.done = min(self.done + 1, self.total)

    def prefix(self) -> str:
        """Return ``[12/340] ``, as wide for every step."""
        return f"[{self.done:{len(str(self.total))}}/{self.total}] "


def size_table(rows: Iterable[Tuple[str, str, int, Optional[int]]]) -> str:
    """Return a table of program, target, size and budget in bytes, in aligned columns."""
    body = [(program, target, f"{size:,}", f"{budget:,}" if budget is not None else "-",
             f"{100 * size // budget} %" if budget else "")
            for program, target, size, budget in rows]
    return _table(("program", "target", "size", "budget", "used"), body, right=(2, 3, 4))


def _table(head: Sequence[str], body: Sequence[Tuple[str, ...]], right: Sequence[int]) -> str:
    widths = [max(len(row[column]) for row in (head, *body)) for column in range(len(head))]
    lines = []
    for row in (head, *body):
        cells = (cell.rjust(width) if column in right else cell.ljust(width)
                 for column, (cell, width) in enumerate(zip(row, widths)))
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
