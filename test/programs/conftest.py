"""The tests of the programs run what this repository builds."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _programs_are_built(built_programs: Path) -> None:
    """Build before the first test here."""
