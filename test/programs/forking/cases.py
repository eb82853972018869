"""What `forking` is asked, and what it has to answer, to the byte: data for its tests."""

from __future__ import annotations

from typing import Mapping, Tuple

from programs.harness import ROOT

__all__ = [
    "BAD", "BODY_MAX", "CASES", "CONNECTION_SECONDS", "MAX_CHILDREN", "NO_LENGTH", "PAGE_ANSWER",
    "PROGRAM", "TARGET", "TOO_LARGE", "echo", "get", "post",
]

PROGRAM, TARGET = "forking", "x86_64"

# The program's limits, as src/x86_64/forking/forking.inc has them.
MAX_CHILDREN = 256
CONNECTION_SECONDS = 10
HEAD_MAX = 8192
BODY_MAX = 1 << 20

PAGE = (ROOT / "src/x86_64/forking/page.html").read_bytes()

def answer(status: str, kind: str, body: bytes, *extra: str, head: bool = False) -> bytes:
    """Return the answer that is expected, to the byte."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *extra,
             f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + (b"" if head else body)


def refusal(status: str, *extra: str) -> bytes:
    return answer(status, "text/plain", f"{status}\r\n".encode(), *extra)


def get(*headers: str, line: str = "GET / HTTP/1.1") -> bytes:
    """Return a request with a Host, the headers given, and no body."""
    return "\r\n".join([line, "Host: localhost", *headers, "", ""]).encode("latin-1")


def post(body: bytes, *headers: str) -> bytes:
    return get(f"Content-Length: {len(body)}", *headers, line="POST / HTTP/1.1") + body


def filled(size: int) -> bytes:
    """Return a GET request whose head has `size` bytes."""
    return get("X: " + "a" * (size - len(get("X: "))))


PAGE_ANSWER = answer("200 OK", "text/html; charset=utf-8", PAGE)
HEAD_ANSWER = answer("200 OK", "text/html; charset=utf-8", PAGE, head=True)
BAD = refusal("400 Bad Request")
NOT_ALLOWED = refusal("405 Method Not Allowed", "Allow: GET, HEAD, POST")
NO_LENGTH = refusal("411 Length Required")
TOO_LARGE = refusal("413 Content Too Large")
URI_TOO_LONG = refusal("414 URI Too Long")
HEAD_TOO_LONG = refusal("431 Request Header Fields Too Large")
NOT_IMPLEMENTED = refusal("501 Not Implemented")


def echo(body: bytes) -> bytes:
    return answer("200 OK", "application/octet-stream", body)


CASES: Mapping[str, Tuple[bytes, bytes]] = {
    "get": (get(), PAGE_ANSWER),
    "get-any-target": (get(line="GET /a/b?c=d HTTP/1.1"), PAGE_ANSWER),
    "get-http-1.0-needs-no-host": (b"GET / HTTP/1.0\r\n\r\n", PAGE_ANSWER),
    "get-http-1.2": (get(line="GET / HTTP/1.2"), PAGE_ANSWER),
    "get-after-empty-lines": (b"\r\n\r\n" + get(), PAGE_ANSWER),
    "get-with-a-body": (get("Content-Length: 4") + b"body", PAGE_ANSWER),
    "get-all-token-characters": (get("!#$%&'*+-.^_`|~09AZaz: \x80\xff\t x"), PAGE_ANSWER),
    "get-longest-head": (filled(HEAD_MAX), PAGE_ANSWER),
    "head": (get(line="HEAD / HTTP/1.1"), HEAD_ANSWER),
    "post-nothing": (post(b""), echo(b"")),
    "post-a-byte": (post(b"\n"), echo(b"\n")),
    "post-every-byte": (post(bytes(range(256))), echo(bytes(range(256)))),
    "post-http-1.0": (b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", echo(b"hi")),
    "post-header-in-capitals": (
        get("CONTENT-LENGTH:2", line="POST / HTTP/1.1") + b"hi", echo(b"hi")),
    "post-length-amid-blanks": (
        get("content-length: \t 002 \t", line="POST / HTTP/1.1") + b"hi", echo(b"hi")),
    "post-length-twice-the-same": (post(b"hi", "Content-Length: 2"), echo(b"hi")),
    "post-more-than-announced": (post(b"hi") + b"trailing", echo(b"hi")),
    "pipelined": (get() + get(), PAGE_ANSWER),

    **{f"405-{line.split()[0]}": (get(line=line), NOT_ALLOWED) for line in (
        "DELETE / HTTP/1.1", "PUT / HTTP/1.1", "OPTIONS * HTTP/1.1", "GETX / HTTP/1.1",
        "GE / HTTP/1.1", "get / HTTP/1.1", "HEADX / HTTP/1.1", "HEA / HTTP/1.1",
        "POSTX / HTTP/1.1", "POS / HTTP/1.1",
    )},

    "400-post-shorter-than-announced": (
        get("Content-Length: 3", line="POST / HTTP/1.1") + b"hi", BAD),
    "400-later-length-is-greater": (post(b"hi", "Content-Length: 3"), BAD),
    "400-later-length-is-less": (post(b"hi", "Content-Length: 1"), BAD),
    "400-line-runs-into-a-header": (b"GET / HTTP/1.1, Host: localhost\r\n\r\n", BAD),
    "400-two-hosts": (get("Host: localhost"), BAD),
    "400-no-host": (b"GET / HTTP/1.1\r\n\r\n", BAD),
    "400-hostname-is-not-host": (b"GET / HTTP/1.1\r\nHostname: localhost\r\n\r\n", BAD),
    "400-hos-is-not-host": (b"GET / HTTP/1.1\r\nHos: localhost\r\n\r\n", BAD),
    "400-host-in-a-value-is-not-host": (b"GET / HTTP/1.1\r\nX: Host: localhost\r\n\r\n", BAD),
    **{f"400-length-{value!r}": (get(f"Content-Length:{value}", line="POST / HTTP/1.1"), BAD)
       for value in (
           "", " ", " -1", " +1", " 1x", " x", " 1 1", " 1,1", " 0x1", " 1.0", " /", " :")},
    **{f"400-line-{line!r}": (get(line=line), BAD) for line in (
        "GET", "GET /", "GET  HTTP/1.1", " / HTTP/1.1", "GET  / HTTP/1.1",
        "GET /  HTTP/1.1", " GET / HTTP/1.1",
        "GET / HTTP/1.1 ", "GET / x HTTP/1.1", "GET / HTTP/1.", "GET / HTTP/1.x",
        "GET / HTTP/1.10", "GET / HTTP/2.0", "GET / HTTP/0.9", "GET / http/1.1", "GET / XTTP/1.1",
        "GET / HTTP/1:1", "GET / HTTP/11", "G(T / HTTP/1.1", "GET\t/ HTTP/1.1", "GET /\t HTTP/1.1",
        "GET /\x80 HTTP/1.1", "GET /\x7f HTTP/1.1", "\x80 / HTTP/1.1", "/ HTTP/1.1",
    )},
    **{f"400-header-{line!r}": (get(line), BAD) for line in (
        "X", ": x", "X : x", " X: x", "\tfolded", "(X): x", "X\x80: x", "X: \x00", "X: \x01",
        "X: \x0b", "X: \x1f", "X: \x7f", "X: a\rb", "X: a\nY: b", "\x00",
    )},
    "400-bare-lf": (b"GET / HTTP/1.1\nHost: localhost\n\n", BAD),
    "400-bare-lf-at-the-end": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\n", BAD),
    "400-bare-cr-at-the-end": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\r\n", BAD),
    "400-line-that-is-no-line": (b"\x16\x03\x01\x02\x00\x01", BAD),
    "400-end-within-the-head": (b"GET / HTTP/1.1\r\nHost: loc", BAD),

    "411-no-length": (get(line="POST / HTTP/1.1"), NO_LENGTH),
    "411-content-lengthy-is-not-it": (
        get("Content-Lengthy: 2", line="POST / HTTP/1.1") + b"hi", NO_LENGTH),
    "411-content-lengt-is-not-it": (
        get("Content-Lengt: 2", line="POST / HTTP/1.1") + b"hi", NO_LENGTH),
    "411-x-content-length-is-not-it": (
        get("X-Content-Length: 2", line="POST / HTTP/1.1") + b"hi", NO_LENGTH),
    "411-in-a-value-is-not-it": (
        get("X: Content-Length: 2", line="POST / HTTP/1.1") + b"hi", NO_LENGTH),
    **{f"413-length-{size}": (get(f"Content-Length: {size}", line="POST / HTTP/1.1"), TOO_LARGE)
       for size in (BODY_MAX + 1, 2**31, 2**32, 2**32 + 2, 2**63, 2**64, 2**64 + 2, 10**40)},
    "414-request-line-too-long": (b"GET /" + b"a" * HEAD_MAX, URI_TOO_LONG),
    "431-head-one-byte-too-long": (filled(HEAD_MAX + 1), HEAD_TOO_LONG),
    "431-without-end": (get()[:-2] + b"X: a\r\n" * 2000, HEAD_TOO_LONG),
    "501-chunked": (
        get("Transfer-Encoding: chunked", line="POST / HTTP/1.1") + b"0\r\n\r\n", NOT_IMPLEMENTED),
    "501-chunked-and-length": (post(b"hi", "TRANSFER-ENCODING: x"), NOT_IMPLEMENTED),
    "transfer-encodings-is-not-it": (post(b"hi", "Transfer-Encodings: chunked"), echo(b"hi")),
    "head-refused-has-no-body": (
        get("X", line="HEAD / HTTP/1.1"), BAD[:-len(b"400 Bad Request\r\n")]),
}
