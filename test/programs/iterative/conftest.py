"""What the tests of `iterative` share: each way to run it, and a server of the test's own."""

from __future__ import annotations

from typing import Iterator

import pytest

from programs.harness import RUNNERS, Server
from programs.iterative.cases import PROGRAM, TARGET


@pytest.fixture(params=sorted(RUNNERS[TARGET]))
def runner(request: pytest.FixtureRequest) -> str:
    """The name of a way to run it."""
    return str(request.param)


@pytest.fixture
def server(runner: str) -> Iterator[Server]:
    """A server of the test's own."""
    with Server(PROGRAM, TARGET, runner) as own:
        yield own
