"""`forking` over real sockets: what it answers, in whatever pieces it is asked."""

from __future__ import annotations

import random
import socket
import string
from typing import Iterator

import pytest

from programs.forking.cases import (
    BAD,
    BODY_MAX,
    CASES,
    NO_LENGTH,
    PAGE_ANSWER,
    PROGRAM,
    TARGET,
    TOO_LARGE,
    echo,
    get,
    post,
)
from programs.harness import (
    Server,
    connect,
    crowd,
    drain,
    exchange,
    parse,
    receive,
    send_split,
)


@pytest.fixture(scope="module")
def shared(runner: str) -> Iterator[Server]:
    """One server for all tests that leave no trace in it; at the end it must be none the worse."""
    with Server(PROGRAM, TARGET, runner) as server:
        yield server
        assert server.terminate() == 0
        assert server.errors() == b""


def whole_exchange(port: int, request: bytes) -> bytes:
    """Send a request, say that no more will come, and return the answer."""
    client = connect(port)
    client.sendall(request)
    client.shutdown(socket.SHUT_WR)
    return drain(client)


@pytest.mark.parametrize("case", CASES)
def test_answer_is_exact(shared: Server, case: str) -> None:
    request, expected = CASES[case]
    assert whole_exchange(shared.port, request) == expected
    parse(expected, head=request.startswith(b"HEAD "))


@pytest.mark.parametrize(("whole", "expected"), [
    CASES["get"], CASES["head"], CASES["post-header-in-capitals"],
    (b"GET / HTTP/1.1\n", CASES["400-bare-lf"][1]),
], ids=["get", "head", "post", "bare-lf"])
def test_request_split_byte_by_byte(shared: Server, whole: bytes, expected: bytes) -> None:
    with connect(shared.port) as client:
        send_split(client, [whole[i:i + 1] for i in range(len(whole))])
        assert receive(client) == expected


def test_only_token_characters_make_a_name(shared: Server) -> None:
    token = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
    ends_the_name = ":"
    for number in range(256):
        expected = PAGE_ANSWER if chr(number) in token + ends_the_name else BAD
        assert exchange(shared.port, get(f"X{chr(number)}X: y")) == expected, number


@pytest.mark.parametrize("size", [1, 4096, 1 << 16, BODY_MAX - 1, BODY_MAX])
def test_body_comes_back_whatever_the_pieces(shared: Server, size: int) -> None:
    chance = random.Random(size)  # noqa: S311  # bytes, not secrets
    body = chance.randbytes(size)
    request = post(body)
    with connect(shared.port) as client:
        while request:
            length = chance.choice((1, 7, 1460, 8191, 65_537))
            client.sendall(request[:length])
            request = request[length:]
        assert receive(client) == echo(body)


def test_large_body_comes_back_to_a_client_that_reads_only_at_the_end(shared: Server) -> None:
    body = random.Random(1).randbytes(BODY_MAX)  # noqa: S311  # bytes, not secrets
    assert exchange(shared.port, post(body)) == echo(body)


def test_continue_is_said_once_when_asked_for(shared: Server) -> None:
    request = post(b"hi", "Expect: 100-CONTINUE")
    with connect(shared.port) as client:
        client.sendall(request[:-2])
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.recv(len(interim), socket.MSG_WAITALL) == interim
        client.sendall(b"hi")
        assert receive(client) == echo(b"hi")


@pytest.mark.parametrize(("request_", "expected"), [
    (post(b"hi", "Expect: 100-continue"), echo(b"hi")),
    (post(b"hi", "Expect: 100-continued"), echo(b"hi")),
    (b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", echo(b"")),
    (get("Expect: 100-continue"), PAGE_ANSWER),
    (get("Expect: 100-continue", f"Content-Length: {BODY_MAX + 1}", line="POST / HTTP/1.1"),
     TOO_LARGE),
    (get("Expect: 100-continue", line="POST / HTTP/1.1"), NO_LENGTH),
], ids=["body-is-there", "another-word", "http-1.0", "get", "too-large", "no-length"])
def test_continue_is_not_said(shared: Server, request_: bytes, expected: bytes) -> None:
    assert exchange(shared.port, request_) == expected


@pytest.mark.parametrize("case", ["get", "413-length-2147483648", "431-without-end"])
def test_answer_reaches_a_client_that_goes_on_sending(shared: Server, case: str) -> None:
    request, expected = CASES[case]
    with connect(shared.port) as client:
        client.sendall(request)
        assert client.recv(1, socket.MSG_PEEK) == b"H"
        client.sendall(b"x" * 500_000)
        assert receive(client) == expected


def test_thousand_connections_at_once(shared: Server) -> None:
    assert set(crowd(shared.port, 1000, get())) == {PAGE_ANSWER}
