"""`threadpool` from its start to its end: slow clients, signals, what is left, arguments."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import IO, Iterator, List, Tuple

import pytest

from programs.harness import (
    DEADLINE,
    Server,
    command,
    connect,
    crowd,
    drain,
    exchange,
    receive,
    run,
    send_split,
    until,
)
from programs.threadpool.cases import (
    ANSWER,
    CASES,
    MARGIN,
    NATIVE,
    QUEUE_CAPACITY,
    REQUEST,
    REQUEST_SECONDS,
    USAGE,
    WORKERS,
    Case,
    Clients,
    error,
    holding,
    serving,
)

KEPT = {resource.RLIMIT_CORE: 0}
"""A limit that changes nothing here."""

# How it starts ----------------------------------------------------------------------------------

def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("zeros", ["", "000000"])
def test_a_port_that_is_given_is_taken(case: Case, zeros: str) -> None:
    port = free_port()
    with Server("threadpool", *case, args=[zeros + str(port)]) as server:
        assert server.port == port
        assert exchange(port, REQUEST) == ANSWER


def test_a_port_just_used_is_free_again(case: Case) -> None:
    with Server("threadpool", *case) as first:
        port = first.port
        assert exchange(port, REQUEST) == ANSWER  # whose connection now lies in TIME_WAIT
        assert first.terminate() == 0
    with Server("threadpool", *case, args=[str(port)]):
        assert exchange(port, REQUEST) == ANSWER


def test_a_port_in_use_is_said(server: Server, case: Case) -> None:
    done = run("threadpool", *case, args=[str(server.port)])
    assert done.stderr == b"threadpool: bind: Address already in use\n"
    assert (done.returncode, done.stdout) == (1, b"")


def test_without_arguments_the_port_is_3000(case: Case) -> None:
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # somebody else's, then: taken all the same
            taken.bind(("0.0.0.0", 3000))  # noqa: S104 -- the program's own address
            taken.listen()
        done = run("threadpool", *case)
    assert done.stderr == b"threadpool: bind: Address already in use\n"
    assert done.returncode == 1


@pytest.mark.parametrize("args", [
    ["abc"], ["65536"], ["70000"], ["-1"], ["+1"], [""], [" 1"], ["1 "], ["1x"], ["0x10"],
    ["9" * 30], ["4294967296"], ["4294967297"], ["1", "2"], ["0", "0", "0"], ["/"], [":"],
], ids=repr)
def test_a_bad_port_or_too_many_arguments_are_told_the_usage(case: Case, args: List[str]) -> None:
    done = run("threadpool", *case, args=args)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", USAGE)


@pytest.mark.parametrize(("descriptors", "call"), [(3, b"signalfd4"), (4, b"socket")])
@pytest.mark.parametrize("native", NATIVE, ids="-".join)
def test_a_call_that_fails_at_the_start_is_named(
    native: Case, descriptors: int, call: bytes,
) -> None:
    """Natively only: an emulator needs descriptors of its own to start at all."""
    done = run("threadpool", *native, args=["0"], limits={resource.RLIMIT_NOFILE: descriptors})
    assert done.stderr == b"threadpool: " + call + b": Too many open files\n"
    assert (done.returncode, done.stdout) == (1, b"")


@contextlib.contextmanager
def broken_pipe() -> Iterator[IO[bytes]]:
    """Yield the writing end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        yield pipe


def test_a_line_that_nobody_can_read_any_more_is_said(case: Case) -> None:
    """Started through limits, which are kept: that way SIGPIPE does what it does by default."""
    line = command("threadpool", *case, ["0"], KEPT)
    with broken_pipe() as pipe:
        done = subprocess.run(line, stdout=pipe, stderr=subprocess.PIPE, timeout=DEADLINE,
                              check=False)
    assert done.stderr == b"threadpool: write: Broken pipe\n"
    assert done.returncode == 1


def test_a_usage_that_nobody_can_read_any_more_is_status_2_all_the_same(case: Case) -> None:
    line = command("threadpool", *case, ["x"], KEPT)
    with broken_pipe() as pipe:
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=pipe, timeout=DEADLINE,
                              check=False)
    assert (done.returncode, done.stdout) == (2, b"")


# Clients that take their time -------------------------------------------------------------------

def trickle(client: socket.socket) -> bytes:
    """Send a byte whenever a second passes without an answer; return the answer."""
    client.settimeout(1.0)
    for _ in range(int(REQUEST_SECONDS + MARGIN)):
        client.sendall(b"G")
        with contextlib.suppress(TimeoutError, socket.timeout):
            return receive(client)
    return b""


def test_clients_that_say_nothing_or_little_hold_the_pool_until_the_deadline_only(
    client_of: Clients,
) -> None:
    """All cases at once: it takes as long as the deadline, however many wait for it."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving(case)) for case in CASES]
        start = time.monotonic()
        silent = [[client_of(each) for _ in range(WORKERS + QUEUE_CAPACITY)] for each in servers]
        for each, clients in zip(servers, silent):
            holding(each, len(clients))
        late = [client_of(each) for each in servers]
        for client in late:
            client.sendall(REQUEST)
        assert trickle(silent[0].pop(0)) == error("408 Request Timeout")
        for client, clients in zip(late, silent):
            assert drain(client) == ANSWER
            assert {drain(each) for each in clients} == {error("408 Request Timeout")}
        assert REQUEST_SECONDS - 0.1 < time.monotonic() - start < REQUEST_SECONDS + MARGIN
        for each in servers:
            holding(each, 0)


def test_at_the_descriptor_limit_it_waits_without_spinning_then_serves(
    case: Case, client_of: Clients,
) -> None:
    limit = 16
    with Server("threadpool", *case, limits={resource.RLIMIT_NOFILE: limit}) as server:
        assert crowd(server.port, 1000, REQUEST) == [ANSWER] * 1000
        silent = [client_of(server) for _ in range(limit)]
        until(lambda: server.descriptors() == limit, "every descriptor is taken")
        late = client_of(server)
        late.sendall(REQUEST)
        before = server.cpu_seconds()
        late.settimeout(1.0)
        with pytest.raises((TimeoutError, socket.timeout)):
            late.recv(1)
        assert server.cpu_seconds() - before < 1 / 4
        for client in silent:
            client.close()
        assert drain(late) == ANSWER
        assert server.terminate() == 0


# How it ends ------------------------------------------------------------------------------------

def refused(server: Server) -> bool:
    """Whether the server has closed its listener; a reset is one closed at this very moment."""
    try:
        connect(server.port).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False
    return False


ENDING = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


@ENDING
def test_a_signal_ends_an_idle_server_with_status_0(case: Case, number: int) -> None:
    with Server("threadpool", *case) as server:
        assert server.terminate(number) == 0
        assert server.output() == b"Listening on port %d\n" % server.port
        assert server.errors() == b""


@ENDING
def test_a_signal_lets_running_and_queued_requests_be_answered(
    case: Case, client_of: Clients, number: int,
) -> None:
    with Server("threadpool", *case) as server:
        running = [client_of(server) for _ in range(WORKERS)]
        for client in running:
            send_split(client, [REQUEST[:10]])
        queued = [client_of(server) for _ in range(QUEUE_CAPACITY)]
        holding(server, WORKERS + QUEUE_CAPACITY)
        server.send_signal(number)
        until(lambda: refused(server), "the listener is closed")
        for client in queued:
            client.sendall(REQUEST)
        for client in running:
            client.sendall(REQUEST[10:])
        assert [drain(client) for client in running + queued] == [ANSWER] * len(running + queued)
        assert server.wait() == 0
        assert server.errors() == b""


def test_a_second_signal_does_not_wait(case: Case) -> None:
    with Server("threadpool", *case) as server, connect(server.port) as client:
        send_split(client, [REQUEST[:10]])
        server.send_signal(signal.SIGTERM)
        until(lambda: refused(server), "the listener is closed")
        assert server.status is None
        assert server.terminate(signal.SIGINT, MARGIN) == -signal.SIGINT


def test_its_end_is_clean_in_the_middle_of_a_crowd(case: Case, client_of: Clients) -> None:
    """No client of those answered gets half an answer; those not yet accepted may be refused."""
    for _ in range(10):
        with Server("threadpool", *case) as server:
            clients = [client_of(server) for _ in range(50)]
            for client in clients:
                client.sendall(REQUEST)
            server.send_signal(signal.SIGTERM)
            answers = [answer_or_nothing(client) for client in clients]
            assert set(answers) <= {ANSWER, b""}
            assert server.wait() == 0


def answer_or_nothing(client: socket.socket) -> bytes:
    """Return the answer, or nothing when the connection was reset before it."""
    pieces: List[bytes] = []
    with client, contextlib.suppress(ConnectionResetError):
        pieces.extend(iter(lambda: client.recv(65536), b""))
    return b"".join(pieces)


# What is left -----------------------------------------------------------------------------------

def test_ten_thousand_requests_leave_nothing_behind(server: Server, case: Case) -> None:
    """No descriptor, thread, child or memory; natively no byte of stack and no mapping either.

    An emulator keeps what it translates, and its stacks hide the program's.
    """
    native = case[1] == "native"

    def state() -> Tuple[object, ...]:
        outside = server.descriptors(), server.threads(), len(server.children())
        return (*outside, server.memory()[0], stack_pointers(server)) if native else outside

    crowd(server.port, 1000, REQUEST)
    holding(server, 0)
    before, (_, resident) = state(), server.memory()
    for _ in range(10):
        assert crowd(server.port, 1000, REQUEST) == [ANSWER] * 1000
    holding(server, 0)
    assert state() == before
    assert server.memory()[1] - resident < 1 << 20
    if native:
        assert server.threads() == 1 + WORKERS


def stack_pointers(server: Server) -> List[str]:
    """Return where each sleeping thread's stack ends (proc(5), /proc/PID/syscall)."""
    tasks = sorted(Path(f"/proc/{server.pid}/task").iterdir(), key=lambda task: int(task.name))
    until(lambda: all(len(words(task)) > 1 for task in tasks), "all threads sleep in a call")
    return [words(task)[-2] for task in tasks]


def words(task: Path) -> List[str]:
    """Return the numbers in a thread's ``syscall``: stack and place last; one word if it runs."""
    return (task / "syscall").read_text().split()
