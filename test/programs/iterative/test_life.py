"""`iterative` from its command line to its end: ports, signals, and what it says of a fault."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
from pathlib import Path
from typing import List

import pytest

from programs.harness import (
    LOCALHOST,
    Server,
    connect,
    exchange,
    receive,
    run,
    send_split,
)
from programs.iterative.cases import GET, HELLO, PROGRAM, TARGET, USAGE

MOMENT = 0.5
"""Seconds to watch that something does *not* happen."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_with_status_0_when_idle(server: Server, number: int) -> None:
    assert server.terminate(number) == 0
    assert server.output() == f"Listening on port {server.port}\n".encode()
    assert server.errors() == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("at", [1, len(GET) - 1], ids=["first byte", "last byte"])
def test_answers_the_running_request_before_it_ends(server: Server, number: int, at: int) -> None:
    with connect(server.port) as client:
        send_split(client, [GET[:at]])
        for _ in range(3):
            server.send_signal(number)
        assert select.select([client], [], [], MOMENT)[0] == []
        assert server.status is None
        client.sendall(GET[at:])
        assert receive(client) == HELLO
    assert server.wait() == 0
    assert server.output().endswith(b"\n" + GET)


def test_ends_though_connections_wait(server: Server) -> None:
    """A queue that never empties must not put off the end."""
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(connect(server.port))
        send_split(running, [GET[:1]])
        waiting = [stack.enter_context(connect(server.port)) for _ in range(50)]
        for client in waiting:
            client.sendall(GET)
        server.send_signal(signal.SIGTERM)
        running.sendall(GET[1:])
        assert receive(running) == HELLO
        assert server.wait() == 0
    assert server.output().endswith(f"port {server.port}\n".encode() + GET), "it took one more"


def test_says_that_the_port_is_taken(server: Server, runner: str) -> None:
    second = run(PROGRAM, TARGET, runner, [str(server.port)])
    assert second.returncode == 1
    assert second.stderr == b"bind failed: Address already in use\n"
    assert second.stdout == b""
    assert exchange(server.port, GET) == HELLO


def test_takes_a_port_again_at_once(runner: str) -> None:
    with Server(PROGRAM, TARGET, runner) as first:
        assert exchange(first.port, GET) == HELLO
        assert first.terminate() == 0
    with Server(PROGRAM, TARGET, runner, [str(first.port)]) as second:
        assert second.port == first.port
        assert exchange(second.port, GET) == HELLO


def listeners() -> List[str]:
    """Return the addresses that TCP sockets listen at, as /proc/net/tcp (proc(5)) writes them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[3] == "0A"]


def test_listens_on_the_loopback_alone(server: Server) -> None:
    found = [each for each in listeners() if each.endswith(f":{server.port:04X}")]
    assert found == [f"0100007F:{server.port:04X}"]


def test_takes_port_8080_unless_told_otherwise(runner: str) -> None:
    """Shown by the fault, whoever else holds the port: a free 8080 is nothing to count on."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            sock.bind((LOCALHOST, 8080))
            sock.listen()
        done = run(PROGRAM, TARGET, runner)
    assert done.stderr == b"bind failed: Address already in use\n"
    assert done.returncode == 1


BAD_ARGUMENTS = [["abc"], ["70000"], ["65536"], ["-1"], [""], ["80 "], ["+80"], ["0x50"],
                 ["18446744073709551696"], ["9" * 1000], ["80", "80"], ["80", ""]]


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS, ids=lambda each: " ".join(each)[:22])
def test_tells_its_usage(runner: str, arguments: List[str]) -> None:
    done = run(PROGRAM, TARGET, runner, arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", USAGE)
