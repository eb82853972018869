"""`iterative` over real sockets: what it answers, echoes and refuses, to the byte."""

from __future__ import annotations

import os
import socket

import pytest

from programs.harness import Server, connect, drain, exchange, parse, receive, send_split
from programs.iterative.cases import (
    BAD_REQUEST,
    GET,
    HEAD_MAX,
    HELLO,
    HELLO_HEAD,
    MALFORMED,
    NOT_IMPLEMENTED,
    TOO_LARGE,
    echoed,
    post,
    refusal,
)

DELETE = 0x7F
HEAD = GET.replace(b"GET", b"HEAD")


# What it answers and echoes ---------------------------------------------------------------------

def test_answers_and_echoes_every_request_to_the_byte(server: Server) -> None:
    requests = [GET, b"GET /a/b?c=d HTTP/1.0\r\n\r\n", b"DELETE * HTTP/1.1\r\nhost:\r\n\r\n",
                post(b"body\n"), post(b""), b"\r\n" + GET, GET.replace(b"GET", b"HEADS"),
                HEAD, b"\r\n" + HEAD]
    answers = [exchange(server.port, request) for request in requests]
    assert answers == [HELLO] * 7 + [HELLO_HEAD] * 2
    assert parse(answers[0]).body == b"Hello from ARM!\n"
    echoed(server, b"".join(requests))


def test_echoes_every_byte_that_a_header_or_a_body_may_hold(server: Server) -> None:
    every = bytes(range(256))
    allowed = b"\t" + bytes(byte for byte in every if byte >= ord(" ") and byte != DELETE)
    requests = [GET[:-2] + b"Every: " + allowed + b"\r\n\r\n", post(every), post(every[::-1])]
    assert [exchange(server.port, request) for request in requests] == [HELLO] * 3
    echoed(server, b"".join(requests))


@pytest.mark.parametrize("request_", [GET, post(b"\0\r\n\r\nbody")], ids=["get", "post"])
def test_reads_a_request_that_comes_byte_by_byte(server: Server, request_: bytes) -> None:
    client = connect(server.port)
    send_split(client, [request_[at:at + 1] for at in range(len(request_))])
    assert drain(client) == HELLO
    echoed(server, request_)


def test_reads_a_body_of_many_reads_to_its_end(server: Server) -> None:
    request = post(os.urandom(1 << 20))
    assert exchange(server.port, request) == HELLO
    echoed(server, request)


def test_echoes_no_byte_beyond_the_request(server: Server) -> None:
    """A second request in one piece with the first is read off, not answered and not echoed."""
    assert exchange(server.port, GET + b"GET /second HTTP/1.1\r\n\r\n") == HELLO
    assert exchange(server.port, post(b"1234") + b"5" * 100_000) == HELLO
    echoed(server, GET + post(b"1234"))


def test_asks_for_a_body_whose_sender_waits(server: Server) -> None:
    with connect(server.port) as client:
        client.sendall(post(b"", "EXPECT: 100-Continue").replace(b"Length: 0", b"Length: 5"))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert receive(client) == HELLO
    # Neither HTTP/1.0 nor a body that is there already waits for that word.
    old = post(b"12345", "Expect: 100-continue")
    assert exchange(server.port, old) == HELLO
    with connect(server.port) as client:
        client.sendall(old.replace(b"HTTP/1.1", b"HTTP/1.0")[:-5])
        client.sendall(b"12345")
        assert receive(client) == HELLO


# What it refuses ----------------------------------------------------------------------------------

def test_refuses_what_is_no_request(server: Server) -> None:
    answers = {name: exchange(server.port, request) for name, request in MALFORMED.items()}
    assert answers == dict.fromkeys(MALFORMED, BAD_REQUEST)
    assert exchange(server.port, GET) == HELLO
    assert server.terminate() == 0


def test_takes_a_header_by_its_whole_name_only(server: Server) -> None:
    for name in ("Content-Lengthy", "Content-Lengt", "XContent-Length", "Content_Length",
                 "Transfer-Encodings", "Transfer-Encodin", "Hosts", "Hos"):
        assert exchange(server.port, GET[:-2] + f"{name}: x\r\n\r\n".encode()) == HELLO, name
    for length in ("cONTENT-lENGTH:4", "Content-Length: \t 4 \t", "Content-Length: 0004",
                   "Content-Length: 4\r\nCONTENT-LENGTH: 4"):
        request = f"POST / HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\nbody".encode()
        assert exchange(server.port, request) == HELLO, length


def test_refuses_a_body_half_sent(server: Server) -> None:
    for request in (post(b"1234")[:-1], GET[:-1], GET[:1]):
        with connect(server.port) as client:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            assert receive(client) == BAD_REQUEST, request


def test_refuses_a_coded_body_without_resetting_its_sender(server: Server) -> None:
    request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(server.port, request + b"5\r\nhello\r\n0\r\n\r\n" * 5000) == NOT_IMPLEMENTED
    assert exchange(server.port, request.replace(b"POST", b"HEAD")) == refusal(
        "501 Not Implemented", "Send a body with Content-Length.", head=True)


def test_takes_a_head_of_8_kib_and_no_more(server: Server) -> None:
    def head(size: int) -> bytes:
        return GET[:-2] + b"X: " + b"x" * (size - len(GET) - 5) + b"\r\n\r\n"

    assert len(head(HEAD_MAX)) == HEAD_MAX
    assert exchange(server.port, head(HEAD_MAX)) == HELLO
    assert exchange(server.port, head(HEAD_MAX + 1)) == TOO_LARGE
    assert exchange(server.port, head(HEAD_MAX * 50)) == TOO_LARGE
    echoed(server, head(HEAD_MAX) + head(HEAD_MAX + 1)[:HEAD_MAX] + head(HEAD_MAX * 50)[:HEAD_MAX])
