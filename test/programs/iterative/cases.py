"""What `iterative` is asked, and what it has to answer, to the byte: data for its tests."""

from __future__ import annotations

import re
from typing import Mapping

from programs.harness import ROOT, Server

__all__ = [
    "BAD_REQUEST", "DEADLINE", "GET", "HEAD_MAX", "HELLO", "HELLO_HEAD", "MALFORMED",
    "NOT_IMPLEMENTED", "PROGRAM", "TARGET", "TIMEOUT", "TOO_LARGE", "USAGE", "echoed", "post",
    "refusal",
]

PROGRAM, TARGET = "iterative", "arm64_linux"


def constant(name: str) -> int:
    """Return a limit of the program as its source has it."""
    source = (ROOT / "src/arm64_linux/iterative.s").read_text()
    found = re.search(rf"\.equ\s+{name}, (\d+)", source)
    assert found, f"iterative.s has no {name}"
    return int(found[1])


DEADLINE = constant("DEADLINE_MS") / 1000
"""Seconds that a connection may last."""
HEAD_MAX = constant("HEAD_MAX")

HELLO_HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n"
              b"Connection: close\r\n\r\n")
HELLO = HELLO_HEAD + b"Hello from ARM!\n"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
USAGE = b"usage: iterative [port]   (0 to 65535, 8080 if none is given)\n"


def post(body: bytes, *headers: str) -> bytes:
    lines = ["POST / HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def refusal(status: str, text: str, *, head: bool = False) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/plain", f"Content-Length: {len(text) + 1}",
             "Connection: close", "", "" if head else f"{text}\n"]
    return "\r\n".join(lines).encode()


BAD_REQUEST = refusal("400 Bad Request", "This is no HTTP/1 request.")
TIMEOUT = refusal("408 Request Timeout", "The request took too long.")
TOO_LARGE = refusal("431 Request Header Fields Too Large", "The head is over 8 KiB.")
NOT_IMPLEMENTED = refusal("501 Not Implemented", "Send a body with Content-Length.")

MALFORMED: Mapping[str, bytes] = {
    "no method": b" / HTTP/1.1\r\nHost: a\r\n\r\n",
    "empty": b"\r\n\r\n",
    "two empty lines": b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "one word": b"GET\r\nHost: a\r\n\r\n",
    "no target": b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\nHost: a\r\n\r\n",
    "no version after a space": b"GET / \r\nHost: a\r\n\r\n",
    "two spaces": b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
    "space behind": b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "tab for space": b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n",
    "control in target": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "no ASCII in target": b"GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "delete in target": b"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n",
    "method no token": b"G\xc9T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "method in parentheses": b"(GET) / HTTP/1.1\r\nHost: a\r\n\r\n",
    **{f"control {byte:#04x} in a value": b"GET / HTTP/1.1\r\nHost: a\r\na: b%cc\r\n\r\n" % byte
       for byte in (*range(0x20), 0x7F) if byte != 0x09},
    "control as the first of a value": b"GET / HTTP/1.1\r\nHost: a\r\na:\0\r\n\r\n",
    "control in a name": b"GET / HTTP/1.1\r\nHost: a\r\na\0: b\r\n\r\n",
    "control in HTTP/1.0": b"GET / HTTP/1.0\r\na: \0\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "no Host in HTTP/1.9": b"GET / HTTP/1.9\r\n\r\n",
    "no Host, but a coded body": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a longer name than Host": b"GET / HTTP/1.1\r\nHostname: a\r\n\r\n",
    "a shorter name than Host": b"GET / HTTP/1.1\r\nHos: a\r\n\r\n",
    "Host in a value": b"GET / HTTP/1.1\r\na: Host: a\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: a\r\na: b\r\nhOST: a\r\n\r\n",
    "two Hosts in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
    "version 2": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "version of letters": b"GET / HTTP/1.x\r\nHost: a\r\n\r\n",
    "version of two digits": b"GET / HTTP/1.10\r\nHost: a\r\n\r\n",
    "version in small letters": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "other protocol": b"GET / HTTQ/1.1\r\nHost: a\r\n\r\n",
    "bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare LF inside": b"GET / HTTP/1.1\r\nHost: a\r\na: b\nc: d\r\n\r\n",
    "bare CR": b"GET / HTTP/1.1\r\nHost: a\r\na: b\rc\r\n\r\n",
    "two CR": b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
    "field without colon": b"GET / HTTP/1.1\r\nHost: a\r\nb\r\n\r\n",
    "field without name": b"GET / HTTP/1.1\r\nHost: a\r\n: value\r\n\r\n",
    "space before colon": b"GET / HTTP/1.1\r\nHost: a\r\nb : c\r\n\r\n",
    "folded field": b"GET / HTTP/1.1\r\nHost: a\r\na: b\r\n c\r\n\r\n",
    **{f"length {value!r}": f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:{value}\r\n\r\n".encode()
       for value in (" abc", "", " ", " -1", " +1", " 1x", " 1 1", " 1, 1", " 18446744073709551617",
                     " 1\r\nContent-length: 2")},
}


def echoed(server: Server, requests: bytes) -> None:
    """See that standard output has the first line and these bytes, and no more to the very end."""
    expected = f"Listening on port {server.port}\n".encode() + requests
    server.wait_output(lambda output: len(output) >= len(expected))
    assert server.terminate() == 0
    assert server.output() == expected
    assert server.errors() == b""
