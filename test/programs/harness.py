"""All that the tests of the servers use, under one name.

`Server` and `run` start programs; `exchange`, `crowd` and the few socket helpers are clients;
`parse` reads an answer. Every wait has a deadline, and one that passes is an `AssertionError`.
"""

from __future__ import annotations

from programs.client import connect, crowd, drain, exchange, receive, reset, send_split
from programs.response import Response, parse
from programs.server import LOCALHOST, ROOT, RUNNERS, Process, Server, binary, command, run
from programs.waiting import DEADLINE, until

__all__ = [
    "DEADLINE", "LOCALHOST", "ROOT", "RUNNERS", "Process", "Response", "Server", "binary",
    "command", "connect", "crowd", "drain", "exchange", "parse", "receive", "reset", "run",
    "send_split", "until",
]
