"""Takes an HTTP answer apart, with no leniency at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

__all__ = ["Response", "parse"]


@dataclass(frozen=True)
class Response:
    """An HTTP answer, taken apart."""

    version: str
    status: int
    reason: str
    headers: Tuple[Tuple[str, str], ...]
    """Name and value as sent, in the order sent."""
    body: bytes

    def header(self, name: str) -> Optional[str]:
        """Return the value of a header that stands there at most once, in any case of letters."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None


def parse(data: bytes, *, head: bool = False) -> Response:
    """Take an answer apart by RFC 9112, and fail on whatever a lenient client would forgive.

    Lines end by CRLF alone, Content-Length is there once and equals the body; with `head`, the
    answer to a HEAD request, the length stands there and the body does not.
    """
    top, blank, body = data.partition(b"\r\n\r\n")
    assert blank, f"no empty line ends the head: {data!r}"
    lines = top.decode("ascii").split("\r\n")
    assert not any("\r" in line or "\n" in line for line in lines), f"bare CR or LF: {top!r}"
    version, status, reason = lines[0].split(" ", 2)
    assert version == "HTTP/1.1", f"version {version!r}"
    assert len(status) == len("200"), f"status {status!r}"
    response = Response(version, int(status), reason, tuple(map(_header, lines[1:])), body)
    length = response.header("Content-Length")
    assert length is not None, f"no Content-Length: {top!r}"
    expected = 0 if head else int(length)
    assert len(body) == expected, f"{expected} bytes announced, {len(body)} sent: {body!r}"
    return response


def _header(line: str) -> Tuple[str, str]:
    name, colon, value = line.partition(":")
    assert colon, f"no colon in header {line!r}"
    assert name, f"no name in header {line!r}"
    assert name == name.strip(), f"space around a header's name: {line!r}"
    return name, value.strip(" \t")
