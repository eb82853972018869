"""Speaks raw bytes over real sockets: whole, split, reset, in crowds."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import socket
import struct
import time
from pathlib import Path
from typing import Callable, Dict, List, Sequence

from programs.server import LOCALHOST
from programs.waiting import DEADLINE, until

__all__ = ["connect", "crowd", "drain", "exchange", "receive", "reset", "send_split"]


def connect(port: int, deadline: float = DEADLINE) -> socket.socket:
    """Connect and say nothing; `deadline` is for each later call on the socket as well."""
    client = socket.create_connection((LOCALHOST, port), timeout=deadline)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def reset(client: socket.socket) -> None:
    """Close so that the server sees a reset, not an end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def receive(client: socket.socket) -> bytes:
    """Read until the server closes; a reset is a ConnectionResetError."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def drain(client: socket.socket) -> bytes:
    """Read until the server closes, close too, and return what came."""
    with client:
        return receive(client)


def exchange(port: int, request: bytes, deadline: float = DEADLINE) -> bytes:
    """Send `request` in one piece and return all that comes until the server closes."""
    client = connect(port, deadline)
    client.sendall(request)
    return drain(client)


def send_split(client: socket.socket, pieces: Sequence[bytes]) -> None:
    """Send each piece only once the server has read the one before: no two reach one read."""
    for piece in pieces:
        client.sendall(piece)
        until(lambda: _unread(client) == 0, f"the server reads {piece!r}")


def _unread(client: socket.socket) -> int:
    """Return how many bytes wait at the server's end; 0 when that end no longer exists.

    The kernel is asked about this one connection (sock_diag(7)); where it cannot say, its table of
    all connections is read, which takes long when there are many.
    """
    answer = _diagnose(client)
    kind, = struct.unpack_from("=4xH", answer)
    if kind == _SOCK_DIAG_BY_FAMILY:
        return int(struct.unpack_from("=I", answer, _RQUEUE_PLACE)[0])
    mine, theirs = client.getsockname()[1], client.getpeername()[1]
    local, remote = f":{theirs:04X}", f":{mine:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(local) and fields[2].endswith(remote):
            return int(fields[4].partition(":")[2], 16)
    return 0


_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_ANY = 0xFFFFFFFF
_RQUEUE_PLACE = 16 + 4 + 48 + 4
"""After nlmsghdr, four bytes of inet_diag_msg, its sockid and its timer (linux/inet_diag.h)."""


def _diagnose(client: socket.socket) -> bytes:
    """Ask the kernel for the server's end of a connection; return its nlmsghdr and what follows."""
    address = socket.inet_aton(LOCALHOST) + bytes(12)
    ports = struct.pack("!HH", client.getpeername()[1], client.getsockname()[1])
    request = (
        struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, _ANY)
        + ports + address + address + struct.pack("=III", 0, _ANY, _ANY)
    )
    length = struct.calcsize("=IHHII") + len(request)
    header = struct.pack("=IHHII", length, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(DEADLINE)
        kernel.send(header + request)
        return kernel.recv(65536)


def crowd(port: int, count: int, request: bytes, deadline: float = DEADLINE) -> List[bytes]:
    """Open `count` connections, and only when all stand send on each; return all answers.

    Raises the first error that any connection meets, and AssertionError after the deadline.
    """
    _allow_descriptors(count + 100)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(_start_connecting(port)) for _ in range(count)]
        end = time.monotonic() + deadline
        _each_ready(clients, selectors.EVENT_WRITE, end, _connected)
        for client in clients:
            assert client.send(request) == len(request), "a request fits the socket's buffer"
        return _answers(clients, end)


def _start_connecting(port: int) -> socket.socket:
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex((LOCALHOST, port))
    return client


def _each_ready(
    clients: Sequence[socket.socket], event: int, end: float,
    done: Callable[[socket.socket], bool],
) -> None:
    """Call `done` with each socket whenever it is ready, until it has said True for all."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, event, client)
        left = len(clients)
        while left:
            events = selector.select(end - time.monotonic())
            assert events, f"{left} of {len(clients)} connections are not ready in time"
            for key, _ in events:
                if done(key.data):
                    selector.unregister(key.fileobj)
                    left -= 1


def _connected(client: socket.socket) -> bool:
    error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))
    return True


def _answers(clients: Sequence[socket.socket], end: float) -> List[bytes]:
    """Read every socket to its end as it is served; none is closed before all have ended."""
    answers: Dict[socket.socket, bytearray] = {client: bytearray() for client in clients}

    def ended(client: socket.socket) -> bool:
        piece = client.recv(65536)
        answers[client] += piece
        return not piece

    _each_ready(clients, selectors.EVENT_READ, end, ended)
    return [bytes(answers[client]) for client in clients]


def _allow_descriptors(count: int) -> None:
    """Raise this process's soft limit of descriptors to `count` where it is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
