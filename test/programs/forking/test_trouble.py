"""`forking` in trouble: clients that go, stall or crowd in, and a machine that runs short."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Iterator, List, Tuple

import pytest

from programs.forking.cases import (
    BODY_MAX,
    CONNECTION_SECONDS,
    MAX_CHILDREN,
    PAGE_ANSWER,
    PROGRAM,
    TARGET,
    echo,
    get,
    post,
)
from programs.harness import (
    DEADLINE,
    RUNNERS,
    Server,
    binary,
    connect,
    crowd,
    drain,
    exchange,
    receive,
    reset,
    until,
)

_SYS_PIDFD_GETFD = 438  # on every architecture
REQUESTS = {"native": 10_000, "qemu": 1_000}
"""Requests after which nothing may be left; an emulated fork costs several times a native one."""
MOMENT = 0.3
"""Seconds to watch that something does *not* happen; a failure shows within a few milliseconds."""


@pytest.mark.parametrize("leave", [reset, socket.socket.close], ids=["reset", "close"])
def test_client_may_go_at_any_point(
    server: Server, leave: Callable[[socket.socket], None],
) -> None:
    request = post(bytes(200))
    for sent in range(len(request) + 1):
        client = connect(server.port)
        client.sendall(request[:sent])
        leave(client)
    assert exchange(server.port, get()) == PAGE_ANSWER
    until(lambda: not server.children(), "every child ends", CONNECTION_SECONDS / 2)
    assert server.terminate() == 0
    assert server.errors() == b""


def test_client_may_go_while_it_is_answered(server: Server) -> None:
    for received in (0, 1, 1000, 100_000):
        client = connect(server.port)
        client.sendall(post(bytes(BODY_MAX)))
        client.recv(received + 1)
        reset(client)
    assert exchange(server.port, get()) == PAGE_ANSWER
    until(lambda: not server.children(), "every child ends", CONNECTION_SECONDS / 2)


def test_answer_goes_on_after_a_write_that_was_cut_short(server: Server) -> None:
    """To stop a process that waits in a write and let it go on cuts that write short."""
    body = bytes(range(256)) * (BODY_MAX // 256)
    with deaf_client(server, post(body)) as client:
        assert client.recv(1, socket.MSG_PEEK) == b"H"
        (child,) = server.children()
        for _ in range(20):
            until(lambda: server.children()[0].state == "S", "the child waits")
            os.kill(child.pid, signal.SIGSTOP)
            until(lambda: server.children()[0].state == "T", "the child is stopped")
            os.kill(child.pid, signal.SIGCONT)
        assert receive(client) == echo(body)


def test_children_are_bounded_and_the_next_client_waits(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect(server.port)) for _ in range(MAX_CHILDREN)]
        until(lambda: len(server.children()) == MAX_CHILDREN, "each silent client has a child")
        late = stack.enter_context(connect(server.port))
        late.sendall(get())
        assert_idle(server, late)
        assert len(server.children()) == MAX_CHILDREN
        silent[0].close()
        assert receive(late) == PAGE_ANSWER


def assert_idle(server: Server, client: socket.socket) -> None:
    """Check that for a moment the client gets nothing and the parent does not spin."""
    before = server.cpu_seconds()
    client.settimeout(MOMENT)
    with pytest.raises(socket.timeout):
        client.recv(1, socket.MSG_PEEK)
    client.settimeout(DEADLINE)
    assert server.cpu_seconds() - before < MOMENT / 3


@contextlib.contextmanager
def soft_limit(server: Server, kind: int, value: int) -> Iterator[None]:
    """Set a limit of the running server, and put it back."""
    soft, hard = resource.prlimit(server.pid, kind)
    resource.prlimit(server.pid, kind, (value, hard))
    yield
    resource.prlimit(server.pid, kind, (soft, hard))


def test_no_descriptor_to_be_had(server: Server) -> None:
    used = {int(entry.name) for entry in Path(f"/proc/{server.pid}/fd").iterdir()}
    first_free = min(set(range(len(used) + 1)) - used)
    with soft_limit(server, resource.RLIMIT_NOFILE, first_free):
        client = connect(server.port)
        client.sendall(get())
        assert_idle(server, client)
    assert drain(client) == PAGE_ANSWER


def test_sixteen_descriptors_suffice(runner: str) -> None:
    with Server(PROGRAM, TARGET, runner, limits={resource.RLIMIT_NOFILE: 16}) as server:
        assert set(crowd(server.port, 100, get())) == {PAGE_ANSWER}


# Root is exempt from the limit of processes, so these go on as somebody else.
_UNPRIVILEGED = """
import os, resource, sys
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""
_BECOME = _UNPRIVILEGED + "os.execv(sys.argv[1], sys.argv[1:])"
_LIMIT_PROCESSES = _UNPRIVILEGED + """
pid, value = map(int, sys.argv[1:])
hard = resource.prlimit(pid, resource.RLIMIT_NPROC)[1]
resource.prlimit(pid, resource.RLIMIT_NPROC, (value if value >= 0 else hard, hard))
"""


def python(script: str, *args: str) -> List[str]:
    return [sys.executable, "-I", "-S", "-c", script, *args]


@contextlib.contextmanager
def no_process_allowed(server: Server) -> Iterator[None]:
    """Let every fork of a `limited_server` fail with EAGAIN."""
    subprocess.run(python(_LIMIT_PROCESSES, str(server.pid), "0"), check=True)
    yield
    if server.status is None:
        subprocess.run(python(_LIMIT_PROCESSES, str(server.pid), "-1"), check=True)


@pytest.fixture
def limited_server(runner: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that limits of processes hold for: they do not for root's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
        copy = shutil.copy(binary(PROGRAM, TARGET), folder)
        emulator = [shutil.which(each) or each for each in RUNNERS[TARGET][runner]]
        line = python(_BECOME, *emulator, str(copy), "0")
        monkeypatch.setattr("programs.server.command", lambda *_: line)
        with Server(PROGRAM, TARGET, runner) as server:
            yield server


def test_no_process_to_be_had(limited_server: Server) -> None:
    server = limited_server
    with no_process_allowed(server):
        first, second = connect(server.port), connect(server.port)
        first.sendall(get())
        second.sendall(get())
        assert_idle(server, first)
        assert not server.children()
    assert drain(first) == drain(second) == PAGE_ANSWER


def test_stops_though_no_process_is_to_be_had(limited_server: Server) -> None:
    server = limited_server
    with no_process_allowed(server):
        before = server.descriptors()
        client = connect(server.port)
        until(lambda: server.descriptors() == before + 1, "the connection is accepted")
        assert server.terminate() == 0
        client.close()


def test_nothing_is_left_after_many_requests(server: Server, runner: str) -> None:
    assert exchange(server.port, get()) == PAGE_ANSWER
    until(lambda: not server.children(), "the first child ends")
    descriptors, memory = server.descriptors(), server.memory()
    for _ in range(REQUESTS[runner]):
        assert exchange(server.port, get()) == PAGE_ANSWER
    until(lambda: not server.children(), "every child is reaped")
    assert server.descriptors() == descriptors
    assert server.memory()[0] == memory[0]


def test_slow_and_silent_clients_meet_the_deadline() -> None:
    """Both runners at once, as the deadline has to be waited for."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(PROGRAM, TARGET, each)) for each in RUNNERS[TARGET]]
        stopped = [stack.enter_context(Server(PROGRAM, TARGET, each)) for each in RUNNERS[TARGET]]
        began = time.monotonic()
        held = [stack.enter_context(client) for each in servers for client in hold(each)]
        for each in stopped:
            silent = stack.enter_context(connect(each.port))
            silent.sendall(b"GET")
            until(lambda each=each: len(each.children()) == 1, "a child")  # type: ignore[misc]
            each.send_signal(signal.SIGTERM)
        for each in servers:
            until(lambda each=each: len(each.children()) == 3, "children")  # type: ignore[misc]
            assert exchange(each.port, get()) == PAGE_ANSWER

        dripping = held[1::3]
        while any(each.children() for each in servers):
            assert time.monotonic() - began < CONNECTION_SECONDS + 3
            for client in dripping:
                with contextlib.suppress(OSError):
                    client.send(b"a")
            time.sleep(0.1)
        assert time.monotonic() - began > CONNECTION_SECONDS - 1
        for each in servers:
            assert exchange(each.port, get()) == PAGE_ANSWER
        assert [each.wait(3) for each in stopped] == [0] * len(stopped)


def hold(server: Server) -> Tuple[socket.socket, socket.socket, socket.socket]:
    """Return clients that say nothing, that send byte after byte, and that read no answer."""
    deaf = deaf_client(server, post(bytes(BODY_MAX)))
    silent, dripping = connect(server.port), connect(server.port)
    dripping.sendall(b"GET /")
    return silent, dripping, deaf


def deaf_client(server: Server, request: bytes) -> socket.socket:
    """Return a client that has asked and has no room for a long answer until it reads."""
    narrow(server)
    client = socket.socket()
    client.settimeout(DEADLINE)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(server.address)
    client.sendall(request)
    return client


def narrow(server: Server) -> None:
    """Give the server's connections little room for what they send, as a slow network does.

    They have it from the listener, which pidfd_getfd(2) lends; by itself it has room for 4 MiB.
    To be called while there is no connection: the listener must be the only socket.
    """
    folder = Path(f"/proc/{server.pid}/fd")
    (listener,) = (int(each.name) for each in folder.iterdir()
                   if str(each.readlink()).startswith("socket:"))
    process = os.pidfd_open(server.pid)
    lent = ctypes.CDLL(None).syscall(_SYS_PIDFD_GETFD, process, listener, 0)
    os.close(process)
    with socket.socket(fileno=lent) as its_listener:
        its_listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
