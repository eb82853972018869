"""What `threadpool` answers, however a request comes; for both targets, and emulated."""

from __future__ import annotations

import random
import socket
import time

import pytest

from programs.harness import (
    Server,
    connect,
    crowd,
    drain,
    exchange,
    parse,
    receive,
    reset,
    send_split,
)
from programs.threadpool.cases import (
    ANSWER,
    ANSWER_SECONDS,
    BAD_FIELDS,
    GOOD_FIELDS,
    HEAD_ANSWER,
    MARGIN,
    QUEUE_CAPACITY,
    REQUEST,
    REQUEST_MAX,
    WORKERS,
    Clients,
    error,
    head_of,
    holding,
)

# What it answers --------------------------------------------------------------------------------

def test_get_is_answered_by_exactly_these_bytes(server: Server) -> None:
    assert exchange(server.port, REQUEST) == ANSWER


def test_head_is_answered_like_get_without_the_body(server: Server) -> None:
    answer = exchange(server.port, REQUEST.replace(b"GET", b"HEAD"))
    assert answer == HEAD_ANSWER
    assert parse(answer, head=True).header("Content-Length") == "22"


@pytest.mark.parametrize("method", [b"HEADER", b"head", b"HEA", b"POST", b"X-!#$%&'*+.^_`|~9"])
def test_any_other_method_is_answered_with_the_body(server: Server, method: bytes) -> None:
    assert exchange(server.port, REQUEST.replace(b"GET", method)) == ANSWER


@pytest.mark.parametrize("start", [
    b"GET /\r\n", b"GET / HTTP/1.1 \r\n", b"GET  / HTTP/1.1\r\n", b" GET / HTTP/1.1\r\n",
    b"GET  HTTP/1.1\r\n", b" / HTTP/1.1\r\n", b"/ HTTP/1.1\r\n",
    b"GET / HTTP/2.0\r\n", b"GET / http/1.1\r\n",
    b"GET / HTTP/1.\r\n", b"GET / HTTP/1.10\r\n", b"GET / HTTP/1.x\r\n",
    b"GET / HTTP/1,1\r\n", b"GET / HTTQ/1.1\r\n", b"GET\t/ HTTP/1.1\r\n", b"G(T / HTTP/1.1\r\n",
    b"GET /\x00 HTTP/1.1\r\n", b"GET /\xe4 HTTP/1.1\r\n", b"G\xe4T / HTTP/1.1\r\n",
    b"\x16\x03\x01\x02\r\n", b"hello\r\n", b"GET / HTTP/1.1 HTTP/1.1\r\n", b"GET\r\n", b"G E T\r\n",
], ids=repr)
def test_what_is_no_request_line_is_a_bad_request(server: Server, start: bytes) -> None:
    assert exchange(server.port, start + b"Host: a\r\n\r\n") == error("400 Bad Request")


@pytest.mark.parametrize("version", [b"1.0", b"1.1", b"1.9"])
def test_any_version_1_is_served(server: Server, version: bytes) -> None:
    assert exchange(server.port, REQUEST.replace(b"1.1", version)) == ANSWER


def test_host_is_asked_for_from_version_1_1_on(server: Server) -> None:
    answers = [exchange(server.port, b"GET / HTTP/1.%d\r\n\r\n" % minor) for minor in range(10)]
    assert answers == [ANSWER] + [error("400 Bad Request")] * 9


@pytest.mark.parametrize("fields", GOOD_FIELDS, ids=repr)
def test_fields_that_are_as_they_must_be_are_taken(server: Server, fields: bytes) -> None:
    assert exchange(server.port, b"GET / HTTP/1.1\r\n" + fields + b"\r\n\r\n") == ANSWER


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_fields_that_are_not_are_a_bad_request(server: Server, method: bytes) -> None:
    head = method + b" / HTTP/1.1\r\n%b\r\n\r\n"
    answers = {fields: exchange(server.port, head % fields) for fields in BAD_FIELDS}
    assert answers == dict.fromkeys(BAD_FIELDS, error("400 Bad Request"))


@pytest.mark.parametrize("start", [b"\n", b"\r\n\n", b"GET / HTTP/1.1\n", REQUEST[:-2] + b"\n"],
                         ids=repr)
def test_a_bare_lf_is_refused_without_waiting_for_more(server: Server, start: bytes) -> None:
    begin = time.monotonic()
    with connect(server.port) as client:
        client.sendall(start)
        assert client.recv(len(ANSWER)) == error("400 Bad Request")
    assert time.monotonic() - begin < MARGIN


def test_empty_lines_before_a_request_are_passed_over(
    server: Server, client_of: Clients,
) -> None:
    client = client_of(server)
    send_split(client, [b"\r", b"\n\r\n", b"\r\n" + REQUEST])
    assert drain(client) == ANSWER


def test_a_head_as_long_as_the_limit_is_served(server: Server) -> None:
    assert exchange(server.port, head_of(REQUEST_MAX)) == ANSWER


def test_no_check_looks_past_the_end_of_a_head(server: Server) -> None:
    """Behind the room of a head, on most workers' stacks, is the page that nobody may touch."""
    for start, ending in (b"GET /", b" HTTP/1.1\r\nHost:"), (b"GET / HTTP/1.1\r\nX:", b"\r\nHost:"):
        for size in [*range(len(ending) + 1)] * WORKERS:
            end = ending[:size] + b"\r\n\r\n"
            head = start + b"x" * (REQUEST_MAX - len(start + end)) + end
            expected = ANSWER if size == len(ending) else error("400 Bad Request")
            assert exchange(server.port, head) == expected, end


@pytest.mark.parametrize("request_", [
    head_of(REQUEST_MAX + 1), head_of(REQUEST_MAX * 100), b"\r\n" * REQUEST_MAX,
    b"x" * REQUEST_MAX * 100,
], ids=["by one", "by far", "empty lines", "no line"])
def test_a_longer_head_is_refused_and_not_reset(server: Server, request_: bytes) -> None:
    assert exchange(server.port, request_) == error("431 Request Header Fields Too Large")


@pytest.mark.parametrize(("start", "status"), [
    (head_of(REQUEST_MAX + 1), "431 Request Header Fields Too Large"),
    (b"hello\r\n\r\n", "400 Bad Request"),
], ids=["too long", "bad"])
def test_what_comes_after_a_refusal_resets_nothing(
    server: Server, client_of: Clients, start: bytes, status: str,
) -> None:
    client = client_of(server)
    client.sendall(start)
    answer = client.recv(len(error(status)), socket.MSG_WAITALL)
    client.sendall(b"x" * 1_000_000)
    client.shutdown(socket.SHUT_WR)
    assert answer + receive(client) == error(status)


def test_a_second_request_on_the_connection_is_not_answered(server: Server) -> None:
    assert exchange(server.port, REQUEST + REQUEST) == ANSWER


@pytest.mark.parametrize("header", [
    b"Content-Length: 1000000", b"content-length:1000000", b"TRANSFER-ENCODING: chunked",
    b"X: y\r\nContent-LENGTH: 1000000",
])
def test_a_body_that_comes_after_the_answer_resets_nothing(server: Server, header: bytes) -> None:
    with connect(server.port) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n" + header + b"\r\n\r\n")
        answer = client.recv(len(ANSWER), socket.MSG_WAITALL)
        client.sendall(b"x" * 1_000_000)
        client.shutdown(socket.SHUT_WR)
        assert answer + receive(client) == ANSWER


def test_a_body_sent_with_the_head_resets_nothing(server: Server) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
    assert exchange(server.port, head + b"x" * 1_000_000) == ANSWER


def test_a_body_that_never_comes_holds_a_worker_for_a_moment_only(
    server: Server, client_of: Clients,
) -> None:
    start = time.monotonic()
    client = client_of(server)
    client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
    assert client.recv(len(ANSWER), socket.MSG_WAITALL) == ANSWER
    holding(server, 0)
    assert time.monotonic() - start < ANSWER_SECONDS + MARGIN


# How requests come ------------------------------------------------------------------------------

def test_a_request_byte_by_byte_is_one_request(
    server: Server, client_of: Clients,
) -> None:
    client = client_of(server)
    send_split(client, [bytes([byte]) for byte in REQUEST])
    assert drain(client) == ANSWER


def test_a_request_may_be_split_anywhere(server: Server) -> None:
    for place in range(1, len(REQUEST)):
        with connect(server.port) as client:
            send_split(client, [REQUEST[:place], REQUEST[place:]])
            assert receive(client) == ANSWER, place


def test_a_thousand_connections_at_once_are_all_answered(server: Server) -> None:
    assert crowd(server.port, 1000, REQUEST) == [ANSWER] * 1000


def test_no_wake_up_is_lost_in_many_small_crowds(server: Server) -> None:
    for size in [*range(1, 2 * QUEUE_CAPACITY + 2 * WORKERS)] * 3:
        assert crowd(server.port, size, REQUEST) == [ANSWER] * size


def test_half_a_request_and_then_an_end_is_a_bad_request(server: Server) -> None:
    with connect(server.port) as client:
        client.sendall(REQUEST[:-1])
        client.shutdown(socket.SHUT_WR)
        assert receive(client) == error("400 Bad Request")


@pytest.mark.parametrize("said", [b"", b"\r\n"], ids=repr)
def test_an_end_without_a_word_is_not_answered(server: Server, said: bytes) -> None:
    with connect(server.port) as client:
        client.sendall(said)
        client.shutdown(socket.SHUT_WR)
        assert receive(client) == b""


def test_clients_may_reset_or_vanish_at_any_point(server: Server) -> None:
    for leave in (reset, socket.socket.close):
        for place in range(len(REQUEST) + 1):
            client = connect(server.port)
            client.sendall(REQUEST[:place])
            leave(client)
        for taken in range(0, len(ANSWER), 10):
            client = connect(server.port)
            client.sendall(REQUEST)
            client.recv(taken)
            leave(client)
    holding(server, 0)


def test_a_storm_of_resets_between_requests_loses_none(server: Server) -> None:
    dice = random.Random(1)  # noqa: S311 -- the same storm every time
    for _ in range(300):
        if dice.random() < 1 / 2:
            assert exchange(server.port, REQUEST) == ANSWER
        else:
            client = connect(server.port)
            client.sendall(REQUEST[:dice.randrange(len(REQUEST) + 1)])
            dice.choice([reset, socket.socket.close])(client)
    holding(server, 0)


def test_clients_that_leave_while_they_are_queued_kill_nothing(
    server: Server, client_of: Clients,
) -> None:
    """A request, an end and a reset: reading it works, and the answer meets a broken pipe."""
    running = [client_of(server) for _ in range(WORKERS)]
    for client in running:
        send_split(client, [REQUEST[:1]])
    for _ in range(QUEUE_CAPACITY):
        client = client_of(server)
        client.sendall(REQUEST)
        client.shutdown(socket.SHUT_WR)
        reset(client)
    holding(server, WORKERS + QUEUE_CAPACITY)
    for client in running:
        client.sendall(REQUEST[1:])
    assert [drain(client) for client in running] == [ANSWER] * WORKERS
    holding(server, 0)
