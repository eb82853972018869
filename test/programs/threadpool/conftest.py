"""What the tests of `threadpool` share: each target and way to run it, a server, its clients."""

from __future__ import annotations

from typing import Iterator

import pytest

from programs.harness import Server
from programs.threadpool.cases import CASES, Case, Clients, keeping, serving


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> Case:
    """A target and a runner."""
    chosen: Case = request.param
    return chosen


@pytest.fixture
def server(case: Case) -> Iterator[Server]:
    """A fresh server, and a look at it afterwards."""
    with serving(case) as running:
        yield running


@pytest.fixture
def client_of() -> Iterator[Clients]:
    """A maker of connections to a server, all of which end with the test."""
    with keeping() as maker:
        yield maker
