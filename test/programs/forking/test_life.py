"""`forking` from its start to its end: arguments, port, what it says, signals."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
from pathlib import Path
from typing import List, Sequence, Tuple

import pytest

from programs.forking.cases import PAGE_ANSWER, PROGRAM, TARGET, echo, get, post
from programs.harness import (
    RUNNERS,
    Server,
    command,
    connect,
    exchange,
    receive,
    run,
    until,
)


@pytest.mark.parametrize("group", [False, True], ids=["alone", "group"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_running_requests_finish(
    server: Server, number: signal.Signals, group: bool,
) -> None:
    with connect(server.port) as client, connect(server.port) as other:
        client.sendall(get()[:20])
        other.sendall(post(b"hi")[:-1])
        until(lambda: len(server.children()) == 2, "each request has a child")
        (os.killpg if group else os.kill)(server.pid, number)
        until(lambda: refused(server.port), "no more connections are taken")
        os.kill(server.pid, number)
        assert server.status is None
        client.sendall(get()[20:])
        other.sendall(b"i")
        assert receive(client) == PAGE_ANSWER
        assert receive(other) == echo(b"hi")
    assert server.wait() == 0
    assert server.errors() == b""


def refused(port: int) -> bool:
    try:
        connect(port).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # the listener was closed before it could be accepted
        return False
    return False


def test_signal_ends_an_idle_server(server: Server) -> None:
    assert server.terminate(signal.SIGINT) == 0
    assert server.output() == f"Listening on port {server.port}\n".encode()


def test_inherited_children_and_ignored_signals_do_not_matter(
    runner: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    foreign = "sleep 600 >/dev/null 2>&1 &"
    script = f'trap "" INT CHLD PIPE; {foreign} {foreign} exec "$@"'
    program = command(PROGRAM, TARGET, runner, ["0"], {})
    line = ["bash", "-c", script, "bash", *program]
    monkeypatch.setattr("programs.server.command", lambda *_: line)
    with Server(PROGRAM, TARGET, runner) as server:
        until(lambda: len(server.children()) == 2, "the inherited children")
        os.kill(server.children()[0].pid, signal.SIGKILL)
        until(lambda: len(server.children()) == 1, "the one that ended is reaped")
        assert exchange(server.port, get()) == PAGE_ANSWER
        until(lambda: len(server.children()) == 1, "the server's own child is reaped")
        assert server.terminate(signal.SIGINT) == 0


def test_port_can_be_used_again_at_once(runner: str) -> None:
    with Server(PROGRAM, TARGET, runner) as first:
        with connect(first.port) as client:
            client.sendall(get())
            assert receive(client) == PAGE_ANSWER
        assert first.terminate() == 0
    with Server(PROGRAM, TARGET, runner, [str(first.port)]) as second:
        assert second.port == first.port
        assert exchange(second.port, get()) == PAGE_ANSWER


def test_port_in_use(server: Server, runner: str) -> None:
    ended = run(PROGRAM, TARGET, runner, [str(server.port)])
    assert ended.stderr == b"forking: bind: Address already in use\n"
    assert (ended.returncode, ended.stdout) == (1, b"")


def test_default_port_is_8080(runner: str) -> None:
    """Whether or not something else has it: the program tries that port and no other."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            holder.bind(("127.0.0.1", 8080))
            holder.listen()
        ended = run(PROGRAM, TARGET, runner)
    assert ended.stderr == b"forking: bind: Address already in use\n"
    assert ended.returncode == 1


def test_no_descriptor_to_start_with() -> None:
    ended = run(PROGRAM, TARGET, next(iter(RUNNERS[TARGET])), ["0"],
                limits={resource.RLIMIT_NOFILE: 3})
    assert ended.stderr == b"forking: signalfd4: Too many open files\n"
    assert ended.returncode == 1


def started_with_output(runner: str, output: int) -> Tuple[int, bytes]:
    """Run the program with this as standard output; return status and standard error."""
    ended = subprocess.run(
        command(PROGRAM, TARGET, runner, ["0"], {}),
        stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, timeout=20, check=False,
    )
    return ended.returncode, ended.stderr


def test_output_that_cannot_be_written(runner: str) -> None:
    with Path("/dev/full").open("wb") as full:
        expected = 1, b"forking: write: No space left on device\n"
        assert started_with_output(runner, full.fileno()) == expected
    reader, writer = os.pipe()
    os.close(reader)
    assert started_with_output(runner, writer) == (1, b"forking: write: Broken pipe\n")
    os.close(writer)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unconnected:
        expected = 1, b"forking: write: error 89\n"  # EDESTADDRREQ: not in the program's table
        assert started_with_output(runner, unconnected.fileno()) == expected


BAD_ARGUMENTS: List[Sequence[str]] = [
    ["abc"], ["70000"], ["65536"], ["4294967296"], ["18446744073709551616"], ["-1"], ["+80"],
    [""], [" 80"], ["80 "], ["80x"], ["/"], [":"], ["80", "81"], ["0", ""],
]


@pytest.mark.parametrize("args", BAD_ARGUMENTS, ids=repr)
def test_bad_arguments(runner: str, args: Sequence[str]) -> None:
    ended = run(PROGRAM, TARGET, runner, args)
    assert ended.stderr == (
        b"usage: forking [PORT]  (0 to 65535, 8080 if not given; 0: any free one)\n"
    )
    assert (ended.returncode, ended.stdout) == (2, b"")


@pytest.mark.parametrize("prefix", ["", "000"])
def test_good_arguments(runner: str, prefix: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Server(PROGRAM, TARGET, runner, [f"{prefix}{port}"]) as server:
        assert server.port == port
