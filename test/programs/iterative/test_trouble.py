"""`iterative` in trouble: clients that go, stall or crowd in, and descriptors that run out."""

from __future__ import annotations

import contextlib
import resource
import select
import socket
import threading
import time
from pathlib import Path

from programs.harness import (
    Server,
    connect,
    crowd,
    exchange,
    receive,
    reset,
    until,
)
from programs.iterative.cases import (
    DEADLINE,
    GET,
    HELLO,
    PROGRAM,
    TARGET,
    TIMEOUT,
    echoed,
    post,
)

WARM_UP = 1_000
"""Requests after which the emulator has taken the memory that it wants for itself."""
REQUESTS = 10_000
"""Requests after which nothing may be left."""
LEAST_LEAK = 16
"""Bytes: what the stack loses at the least, as it is kept aligned, when a routine loses any."""
MOMENT = 0.5
"""Seconds to watch that something does *not* happen."""


def test_outlives_clients_that_vanish_at_any_point(server: Server) -> None:
    idle = server.descriptors()
    request = post(b"body")
    for at in range(len(request) + 1):
        for leave in (reset, socket.socket.close):
            client = connect(server.port)
            client.sendall(request[:at])
            leave(client)
        assert exchange(server.port, GET) == HELLO, f"after {at} bytes"
    until(lambda: server.descriptors() == idle, "every connection is closed")
    assert server.terminate() == 0
    assert server.errors() == b""


def test_outlives_a_client_that_resets_instead_of_reading_its_answer(server: Server) -> None:
    for _ in range(200):
        client = connect(server.port)
        client.sendall(GET)
        reset(client)
    assert exchange(server.port, GET) == HELLO


def drip(client: socket.socket) -> None:
    """Send a byte ten times a second until the server has something to say, or is past saving."""
    end = time.monotonic() + 2 * DEADLINE
    while not select.select([client], [], [], 0.1)[0] and time.monotonic() < end:
        client.sendall(b"x")


def flood(client: socket.socket) -> None:
    """Send as fast as the server reads until it has something to say, or is past saving."""
    end = time.monotonic() + 2 * DEADLINE
    while time.monotonic() < end:
        readable, writable, _ = select.select([client], [client], [], 2 * DEADLINE)
        if readable or not writable:
            return
        client.send(bytes(65536))


def test_cuts_clients_that_are_slow_silent_or_endless(runner: str) -> None:
    """Each on a server of its own, all at once: each holds its server until the deadline."""
    endless = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000000000\r\n\r\n"
    slow = ((b"", lambda _: None, b""), (b"GET / HTTP/1.1\r\n", lambda _: None, TIMEOUT),
            (b"GET / HTTP/1.1\r\na: ", drip, TIMEOUT), (endless, drip, TIMEOUT),
            (endless, flood, TIMEOUT))
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(PROGRAM, TARGET, runner)) for _ in slow]
        start = time.monotonic()
        clients = [stack.enter_context(connect(each.port)) for each in servers]
        waiting = [stack.enter_context(connect(each.port)) for each in servers]
        for (first, _, _), client, next_ in zip(slow, clients, waiting):
            client.sendall(first)
            next_.sendall(GET)
        threads = [threading.Thread(target=go_on, args=(client,))
                   for (_, go_on, _), client in zip(slow, clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answers = [last_words(client) for client in clients]
        assert [receive(client) for client in waiting] == [HELLO] * len(slow)
        took = time.monotonic() - start
        assert answers == [answer for _, _, answer in slow]
        assert DEADLINE - 0.1 < took < DEADLINE + 2


def last_words(client: socket.socket) -> bytes:
    """Return what the server said, even if a reset followed what a client went on sending."""
    words = b""
    with contextlib.suppress(ConnectionResetError):
        while True:
            piece = client.recv(65536)
            if not piece:
                break
            words += piece
    return words


def test_answers_1000_connections_that_wait_at_once(server: Server) -> None:
    assert crowd(server.port, 1000, GET) == [HELLO] * 1000
    echoed(server, GET * 1000)


def test_leaves_nothing_open_after_10_000_requests(server: Server) -> None:
    descriptors = server.descriptors()
    for _ in range(WARM_UP):
        assert exchange(server.port, GET) == HELLO
    mapped, resident = server.memory()
    for _ in range(REQUESTS):
        assert exchange(server.port, GET) == HELLO
    until(lambda: server.descriptors() == descriptors, "the last connection is closed")
    assert server.memory()[0] == mapped
    assert server.memory()[1] - resident < REQUESTS * LEAST_LEAK // 2
    echoed(server, GET * (WARM_UP + REQUESTS))


def test_serves_within_16_descriptors(runner: str) -> None:
    limits = {resource.RLIMIT_NOFILE: 16}
    with Server(PROGRAM, TARGET, runner, limits=limits) as server:
        assert crowd(server.port, 200, GET) == [HELLO] * 200
        assert server.terminate() == 0


def test_waits_at_rest_until_there_are_descriptors_again(server: Server) -> None:
    highest = max(int(entry.name) for entry in Path(f"/proc/{server.pid}/fd").iterdir())
    assert server.descriptors() == highest + 1, "a gap would be used for a connection"
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (highest + 1, hard))
    with connect(server.port) as client:
        client.sendall(GET)
        before = server.cpu_seconds()
        assert select.select([client], [], [], 2 * MOMENT)[0] == []
        assert server.cpu_seconds() - before < MOMENT / 5
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert receive(client) == HELLO
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (highest + 1, hard))
    with connect(server.port):
        assert server.terminate() == 0
