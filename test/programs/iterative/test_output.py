"""`iterative` with a standard output that is no help, and with calls that are made to fail."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import IO, Iterator, Sequence, Set, Tuple, Union

import pytest

from programs.harness import LOCALHOST, command, connect, exchange, receive, until
from programs.iterative.cases import DEADLINE, GET, HELLO, PROGRAM, TARGET, post

PIPE_SIZE = 65536
"""Bytes that Linux keeps in a pipe that nobody reads."""


def free_port() -> int:
    """Return a port that was free a moment ago: one that is known though nothing announces it."""
    with socket.socket() as sock:
        sock.bind((LOCALHOST, 0))
        return int(sock.getsockname()[1])


def accepts(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError), connect(port) as client:
        client.sendall(GET)
        return receive(client) == HELLO
    return False


@contextlib.contextmanager
def started(
    runner: str, *, shell: str = 'exec "$@"', stdout: Union[int, IO[bytes]] = subprocess.DEVNULL,
    limits: Sequence[Tuple[int, int]] = (),
) -> Iterator[Tuple[subprocess.Popen[bytes], int]]:
    """Start the program by a shell that gives it its descriptors, and end it by SIGTERM: 0."""
    port = free_port()
    line = command(PROGRAM, TARGET, runner, [str(port)], dict(limits))
    process = subprocess.Popen(["/bin/sh", "-c", shell, "sh", *line], stdin=subprocess.DEVNULL,
                               stdout=stdout, stderr=subprocess.PIPE, start_new_session=True)
    try:
        until(lambda: process.poll() is not None or accepts(port), "the server answers")
        assert process.poll() is None, f"it ended with status {process.returncode}"
        yield process, port
        process.terminate()
        assert process.wait(10) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def standard(pid: int) -> Set[str]:
    """Return what the descriptors 0, 1 and 2 of a process are, as /proc (proc(5)) names it."""
    return {str(Path(f"/proc/{pid}/fd/{number}").readlink()) for number in range(3)}


def listening(port: int) -> Set[str]:
    """Return the sockets that listen on a port, named the same way."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {f"socket:[{row[9]}]" for row in rows
            if row[3] == "0A" and row[1].endswith(f":{port:04X}")}


CLOSED = {"stdout": 'exec "$@" >&-', "all": 'exec "$@" <&- >&- 2>&-', "stdin": 'exec "$@" <&-',
          "full device": 'exec "$@" >/dev/full', "read-only": 'exec "$@" 1</dev/null'}


@pytest.mark.parametrize("shell", CLOSED.values(), ids=CLOSED)
def test_serves_without_a_standard_output(runner: str, shell: str) -> None:
    with started(runner, shell=shell) as (process, port):
        assert not standard(process.pid) & listening(port), "the listener stands for a stream"
        answers = [exchange(port, request) for request in (GET, post(b"1" * 100_000), GET)]
        assert answers == [HELLO] * 3


def test_serves_when_the_reader_of_its_output_has_gone(runner: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe, started(runner, stdout=pipe) as (_, port):
        pipe.close()
        assert [exchange(port, GET) for _ in range(3)] == [HELLO] * 3


def test_serves_when_its_output_file_may_not_grow(runner: str, tmp_path: Path) -> None:
    limits = [(resource.RLIMIT_FSIZE, 100)]
    with (tmp_path / "out").open("wb") as out, started(runner, stdout=out, limits=limits) as (
            _, port):
        assert [exchange(port, GET) for _ in range(10)] == [HELLO] * 10
    assert (tmp_path / "out").stat().st_size == 100


def test_serves_while_nobody_reads_its_output_and_echoes_again_once_somebody_does(
    runner: str,
) -> None:
    again = GET.replace(b"/ ", b"/again ")
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as output, os.fdopen(writer, "wb") as pipe:
        with started(runner, stdout=pipe) as (_, port):
            pipe.close()
            start = time.monotonic()
            answers = [exchange(port, request)
                       for request in (post(b"1" * 2 * PIPE_SIZE), *[GET] * 20)]
            assert answers == [HELLO] * 21
            assert time.monotonic() - start < DEADLINE, "only the first may wait for room"
            assert output.read(PIPE_SIZE)
            assert exchange(port, again) == HELLO
        assert output.readall().endswith(again)


# Calls that are made to fail --------------------------------------------------------------------

FAULTS = {
    "socket:error=ENFILE": "socket failed: Too many open files in system",
    "setsockopt:error=EPERM": "setsockopt failed: Operation not permitted",
    "bind:error=EACCES": "bind failed: Permission denied",
    "bind:error=EADDRNOTAVAIL": "bind failed: Cannot assign requested address",
    "listen:error=EOPNOTSUPP": "listen failed: error 95",
    "pipe2:error=EMFILE": "pipe2 failed: Too many open files",
    "getsockname:error=ENOBUFS": "getsockname failed: No buffer space available",
}


def inject(fault: str) -> str:
    """Return a shell line that runs its arguments under strace, which spoils one of their calls."""
    name = fault.partition(":")[0]
    return f'exec strace -D -f -qq -o /dev/null -e trace={name} -e inject={fault} "$@"'


@pytest.mark.parametrize(("fault", "message"), FAULTS.items(), ids=FAULTS)
def test_names_the_call_that_failed_and_why(runner: str, fault: str, message: str) -> None:
    line = command(PROGRAM, TARGET, runner, ["0"], {})
    done = subprocess.run(["/bin/sh", "-c", inject(fault), "sh", *line],
                          capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == f"{message}\n".encode()


PASSING = ["accept4:error=EINTR:when=1..3", "accept4:error=ECONNABORTED:when=1..3",
           "accept4:error=EAGAIN:when=1..3", "accept4:error=ENOBUFS:when=1..3",
           "accept4:error=EPROTO:when=1..3", "writev:error=EINTR:when=1+2",
           "writev:error=EAGAIN:when=1+2", "shutdown:error=ENOTCONN", "ppoll:error=EINTR:when=1+2"]


@pytest.mark.parametrize("fault", PASSING)
def test_serves_on_after_faults_that_pass(runner: str, fault: str) -> None:
    with started(runner, shell=inject(fault)) as (_, port):
        assert [exchange(port, GET) for _ in range(5)] == [HELLO] * 5


def test_ends_when_its_listener_is_broken(runner: str) -> None:
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        port = probe.getsockname()[1]
    line = command(PROGRAM, TARGET, runner, [str(port)], {})
    with subprocess.Popen(["/bin/sh", "-c", inject("accept4:error=EINVAL"), "sh", *line],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Listening on port {port}\n".encode()
        with connect(port):
            assert process.wait(20) == 1
        assert process.stderr is not None
        assert process.stderr.read() == b"accept4 failed: Invalid argument\n"
