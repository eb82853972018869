"""What `threadpool` is asked and answers, to the byte, and the limits that it keeps."""

from __future__ import annotations

import contextlib
import socket
from typing import Callable, Iterator, Sequence, Tuple

from programs.harness import RUNNERS, Server, connect, exchange, until

__all__ = [
    "ANSWER",
    "ANSWER_SECONDS",
    "BAD_FIELDS",
    "CASES",
    "GOOD_FIELDS",
    "HEAD_ANSWER",
    "MARGIN",
    "NATIVE",
    "QUEUE_CAPACITY",
    "REQUEST",
    "REQUEST_MAX",
    "REQUEST_SECONDS",
    "USAGE",
    "WORKERS",
    "Case",
    "Clients",
    "error",
    "head_of",
    "holding",
    "keeping",
    "serving",
]

# As src/common/threadpool.inc has them.
WORKERS = 5
QUEUE_CAPACITY = 16
REQUEST_MAX = 8192
REQUEST_SECONDS = 5.0
ANSWER_SECONDS = 1.0
MARGIN = 2.0
"""Seconds that a busy machine may be late by."""

OWN_DESCRIPTORS = 5
"""Input, output, errors, signals, listener."""

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
BODY = b"<h1>Hello, World!</h1>"
HEAD_ANSWER = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n"
    b"Content-Length: 22\r\n"
    b"Connection: close\r\n"
    b"\r\n"
)
ANSWER = HEAD_ANSWER + BODY
USAGE = b"usage: threadpool [PORT]; PORT is a number from 0 to 65535, 0 for any free one\n"

Case = Tuple[str, str]
Clients = Callable[[Server], socket.socket]
CASES: Sequence[Case] = [
    (target, runner) for target in ("x86_32", "x86_64") for runner in RUNNERS[target]
]
NATIVE = [case for case in CASES if case[1] == "native"]


GOOD_FIELDS: Sequence[bytes] = [
    b"host:", b"HOST:\tlocalhost \t", b"X: y\r\nhOsT: a", b"Host: a\r\nHosts: b\r\nHos: c",
    b"Host: a\r\n!#$%&'*+-.^_`|~09AZaz: \t \x80\xff~", b"Host: a\r\nX:\r\nX: Host: a",
    b"Host: a\r\nContent-Lengthy: x\r\nContent-Lengt: x\r\nXContent-Length: x",
    b"Host: a\r\nContent_Length: x",
    *(b"Host: a\r\nContent-Length:" + length for length in (b"0", b" \t007\t ", b" " + b"0" * 99)),
    b"Host: a\r\nTransfer-Encoding: gzip\r\ntransfer-encoding: chunked",
]
"""Lines behind the request line of HTTP/1.1 that it answers."""

BAD_FIELDS: Sequence[bytes] = [
    *(b"Host: a\r\n" + line for line in (
        b"X", b":", b": a", b"X : a", b"X\t: a", b" X: a", b"\tX: a", b"X: a\r\n folded",
        b"X: a\r\n\tfolded", b" ", b"\x00", b"(X): a", b"X\x7f: a", b"X\x80: a", b"X\x00: a",
        b"Content\rLength: 1", b"\rX: a", b"host: a",
    )),
    *(b"Host: a\r\nX: a" + bytes([byte]) + b"b" for byte in (*range(0x20), 0x7F) if byte != 0x09),
    *(b"Host: a\r\nContent-Length:" + length for length in (
        b"", b" ", b" -1", b" +1", b" x", b" 1x", b" 1 1", b" 1,1", b" 0x1", b" /", b" :",
        b" 1\r\ncontent-length: 1",
    )),
    b"Host : a", b" Host: a", b"X: a", b"Hostname: a", b"Hos: a", b"XHost: a", b"X: Host: a",
    b"X: a\r\n Host: a", b"Host", b"Host: a\nX: b", b"Host: a\r\r\nX: b",
]
"""Lines behind the request line of HTTP/1.1 that it refuses."""


def error(status: str) -> bytes:
    """Return the whole answer that says an error."""
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def head_of(size: int) -> bytes:
    """Return a complete head of `size` bytes."""
    start, end = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"\r\n\r\n"
    return start + b"x" * (size - len(start) - len(end)) + end


@contextlib.contextmanager
def serving(case: Case) -> Iterator[Server]:
    """Run a server that must be alive, silent and well at the end of the block."""
    with Server("threadpool", *case) as running:
        yield running
        assert running.status is None, f"ended with {running.status}: {running.errors()!r}"
        assert exchange(running.port, REQUEST) == ANSWER
        assert running.output() == b"Listening on port %d\n" % running.port
        assert running.errors() == b""


def holding(server: Server, count: int) -> None:
    """Wait until the server has `count` connections open beyond what it needs for itself."""
    until(lambda: server.descriptors() == OWN_DESCRIPTORS + count, f"{count} connections held")


@contextlib.contextmanager
def keeping() -> Iterator[Clients]:
    """Connect to servers; close what is still open at the end of the block, whatever happened."""
    with contextlib.ExitStack() as stack:
        yield lambda server: stack.enter_context(connect(server.port))
