"""Starts a built program under a runner, waits until it listens, and looks at it from outside."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Callable, List, Mapping, Optional, Sequence, Tuple, Type, final

from programs.waiting import DEADLINE

__all__ = ["LOCALHOST", "ROOT", "RUNNERS", "Process", "Server", "binary", "command", "run"]

ROOT = Path(__file__).resolve().parents[2]
"""The project folder."""
LOCALHOST = "127.0.0.1"

_HOST = (platform.system(), platform.machine())
_NATIVE = {
    ("Linux", "x86_64"): ("x86_32", "x86_64"),
    ("Linux", "aarch64"): ("arm64_linux",),
}.get(_HOST, ())
_EMULATORS = {
    "x86_32": "qemu-i386-static",
    "x86_64": "qemu-x86_64-static",
    "arm64_linux": "qemu-aarch64-static",
}

RUNNERS: Mapping[str, Mapping[str, Tuple[str, ...]]] = {
    target: {**({"native": ()} if target in _NATIVE else {}), "qemu": (emulator,)}
    for target, emulator in _EMULATORS.items()
}
"""Target to the ways in which it runs here: the runner's name to what stands before the program."""

# Sets limits and becomes the program: a `preexec_fn` is not safe beside threads. Python ignores
# SIGPIPE and an ignored signal stays so over exec, which would hide a program that it kills.
_LIMITER = """
import os, resource, signal, sys
for pair in sys.argv[1].split(","):
    kind, value = map(int, pair.split("="))
    resource.setrlimit(kind, (value, value))
for number in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(number, signal.SIG_DFL)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def binary(program: str, target: str) -> Path:
    """Return where the build puts `program` for `target`; it need not be there yet."""
    return ROOT / "build" / target / program


def command(
    program: str, target: str, runner: str, args: Sequence[str], limits: Mapping[int, int],
) -> List[str]:
    """Return the command line that starts `program`: limits, then runner, then program."""
    path = binary(program, target)
    assert path.is_file(), f"{path} is not built"
    line = [*RUNNERS[target][runner], str(path), *args]
    if not limits:
        return line
    pairs = ",".join(f"{kind}={value}" for kind, value in limits.items())
    return [sys.executable, "-I", "-S", "-c", _LIMITER, pairs, *line]


def run(
    program: str, target: str, runner: str, args: Sequence[str] = (),
    *, limits: Optional[Mapping[int, int]] = None, deadline: float = DEADLINE,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program that ends by itself, as a server does that cannot start, to whatever status."""
    return subprocess.run(
        command(program, target, runner, args, limits or {}),
        stdin=subprocess.DEVNULL, capture_output=True, timeout=deadline, check=False,
    )


@dataclass(frozen=True)
class Process:
    """A process as /proc shows it."""

    pid: int
    state: str
    """One letter: ``R``, ``S``, ``D``, ``T``, or ``Z`` for a zombie."""
    parent: int
    cpu: float
    """Seconds of processor time, user's and system's, of all its threads."""


def _process(pid: int) -> Optional[Process]:
    """Read /proc/PID/stat (proc(5)); `None` when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2:].split()
    ticks = int(fields[11]) + int(fields[12])
    return Process(pid, fields[0], int(fields[1]), ticks / os.sysconf("SC_CLK_TCK"))


@final
class Server:
    """A server that runs for the length of a ``with`` block and of which nothing is left after.

    On entry it waits for the exact line ``Listening on port N`` and fails, with what the program
    said on standard error, when the program ends or the deadline passes first.
    """

    def __init__(
        self, program: str, target: str, runner: str = "native", args: Sequence[str] = ("0",),
        *, limits: Optional[Mapping[int, int]] = None, deadline: float = DEADLINE,
    ) -> None:
        """`limits` maps ``resource.RLIMIT_*`` to a value for both soft and hard limit."""
        self._line = command(program, target, runner, args, limits or {})
        self._deadline = deadline
        self._changed = threading.Condition()
        self._output = bytearray()
        self._errors = bytearray()
        self._open_streams = 2
        self._status: Optional[int] = None
        self.pid = 0
        self.port = 0

    def __enter__(self) -> Server:
        """Start the program in a session of its own and wait until it listens."""
        self._process = subprocess.Popen(
            self._line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._threads = [
            threading.Thread(target=self._collect, args=(self._process.stdout, self._output)),
            threading.Thread(target=self._collect, args=(self._process.stderr, self._errors)),
            threading.Thread(target=self._reap),
        ]
        for thread in self._threads:
            thread.daemon = True
            thread.start()
        try:
            self.port = self._wait_until_listening()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        """Kill the whole group, children included, whatever happened inside."""
        self._kill()

    @property
    def address(self) -> Tuple[str, int]:
        """Where to connect to."""
        return LOCALHOST, self.port

    @property
    def status(self) -> Optional[int]:
        """Exit status, minus the signal's number when one killed it, `None` while it runs."""
        with self._changed:
            return self._status

    def output(self) -> bytes:
        """Return what the program has written to standard output so far."""
        with self._changed:
            return bytes(self._output)

    def errors(self) -> bytes:
        """Return what the program has written to standard error so far."""
        with self._changed:
            return bytes(self._errors)

    def wait_output(self, wanted: Callable[[bytes], bool], deadline: float = DEADLINE) -> bytes:
        """Wait until `wanted` holds for the standard output so far, and return that output."""
        with self._changed:
            met = self._changed.wait_for(lambda: wanted(bytes(self._output)), deadline)
            assert met, f"not within {deadline} s; output so far: {bytes(self._output)!r}"
            return bytes(self._output)

    def send_signal(self, number: int) -> None:
        """Send a signal to the program alone, not to its children."""
        os.kill(self.pid, number)

    def wait(self, deadline: float = DEADLINE) -> int:
        """Wait for the end, and for all that it wrote; return the status as `status` has it."""
        with self._changed:
            ended = self._changed.wait_for(lambda: self._status is not None, deadline)
            assert ended, f"pid {self.pid} still runs after {deadline} s"
            self._changed.wait_for(lambda: self._open_streams == 0, deadline)
            assert self._status is not None
            return self._status

    def terminate(self, number: int = signal.SIGTERM, deadline: float = DEADLINE) -> int:
        """Send a signal, wait for the end, return the status."""
        self.send_signal(number)
        return self.wait(deadline)

    def descriptors(self) -> int:
        """Return how many descriptors the program has open; an emulator's own count too."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def threads(self) -> int:
        """Return how many threads the program has; an emulator may add one."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def memory(self) -> Tuple[int, int]:
        """Return the bytes mapped and the bytes resident."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()
        size = os.sysconf("SC_PAGE_SIZE")
        return int(pages[0]) * size, int(pages[1]) * size

    def cpu_seconds(self) -> float:
        """Return the processor time used so far, in seconds, to a hundredth."""
        found = _process(self.pid)
        assert found is not None, f"pid {self.pid} is gone"
        return found.cpu

    def children(self) -> List[Process]:
        """Return the program's child processes, zombies among them (state ``Z``)."""
        pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        found = (_process(pid) for pid in pids)
        return [each for each in found if each is not None and each.parent == self.pid]

    def _wait_until_listening(self) -> int:
        def ready() -> bool:
            return b"\n" in self._output or self._status is not None or self._open_streams == 0

        with self._changed:
            self._changed.wait_for(ready, self._deadline)
            first, newline, _ = bytes(self._output).partition(b"\n")
            if newline and first.startswith(b"Listening on port "):
                return int(first[len(b"Listening on port "):])
        self._kill()
        raise AssertionError(
            f"{' '.join(self._line)}: no line 'Listening on port N'; status {self._status}, "
            f"output {self.output()!r}, errors {self.errors()!r}",
        )

    def _collect(self, stream: object, into: bytearray) -> None:
        """Copy one stream as it comes, so that a full pipe never stops the program."""
        descriptor = stream.fileno()  # type: ignore[attr-defined]
        while True:
            piece = os.read(descriptor, 65536)
            with self._changed:
                into += piece
                self._open_streams -= not piece
                self._changed.notify_all()
            if not piece:
                return

    def _reap(self) -> None:
        """Wait for the program's end and tell all who wait for something of it."""
        status = self._process.wait()
        with self._changed:
            self._status = status
            self._changed.notify_all()

    def _kill(self) -> None:
        """Kill the group; the group exists as long as any process of it does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for thread in self._threads:
            thread.join(DEADLINE)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
