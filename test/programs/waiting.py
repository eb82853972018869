"""How long a test waits for anything, and how it waits for what no event announces."""

from __future__ import annotations

import time
from typing import Callable

__all__ = ["DEADLINE", "until"]

DEADLINE = 20.0
"""Seconds that any one wait may last unless the test says otherwise."""


def until(holds: Callable[[], bool], what: str, deadline: float = DEADLINE) -> None:
    """Wait for a state of /proc that no event announces; fail with `what` after the deadline."""
    end = time.monotonic() + deadline
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {deadline} s"
        time.sleep(0.002)
