r"""What a process read: the trace that strace wrote in, the regular files opened for reading out.

The format is that of ``strace -f -xx -o log`` (see strace(1)): a line a call, led by the process's
number; every string as ``\x..``; a call during which another process's was written, in two lines:
``1 openat(… <unfinished ...>`` and ``1 <... openat resumed>…``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Set

__all__ = ["opened_files", "strace_command"]

_CALLS = ("open", "openat", "openat2", "chdir", "fchdir", "close", "dup", "dup2", "dup3", "fcntl",
          "clone", "clone3", "fork", "vfork")
_LINE = re.compile(r"^(?:\[pid +)?(\d*)\]? *(.*)$", re.DOTALL)
_CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)(?:<.*>)?(?: .*)?$", re.DOTALL)
_RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_STRING = re.compile(r'"((?:\\.|[^"\\])*)"(\.\.\.)?', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f", b"a": b"\a",
            b"b": b"\b", b"e": b"\x1b"}
_NOT_READ = re.compile(r"\b(?:O_WRONLY|O_PATH|O_DIRECTORY)\b")


def strace_command(log: str) -> List[str]:
    """Return the arguments to put before a command so that strace adds its trace to `log`.

    A call that this machine's kernel does not know (``open`` on arm64) is passed over.
    """
    calls = ",".join(f"?{name}" for name in _CALLS)
    return ["strace", "-f", "--seccomp-bpf", "-qq", "-xx", "-s", "65536", "-e", f"trace={calls}",
            "-e", "signal=none", "-A", "-o", log]


def opened_files(trace: str, cwd: Path) -> Set[Path]:
    """Return the files that `trace` shows opened for reading, as absolute paths without ``..``.

    `cwd` is the folder that the traced command began in. Symbolic links are not resolved, but
    for those that a ``..`` follows. Devices, pipes and folders are left out, and what is gone.
    """
    processes = _Processes(cwd)
    opened: Set[Path] = set()
    for call in _calls(trace, processes):
        path = processes.apply(call)
        if path is not None and not _NOT_READ.search(call.arguments):
            opened.add(path)
    return {path for path in opened if path.is_file()}


@dataclass(frozen=True)
class _Call:
    """One system call that has returned."""

    process: str
    name: str
    arguments: str
    result: int


@dataclass
class _State:
    """What a process's relative paths begin at."""

    cwd: Path
    descriptors: Dict[int, Path] = field(default_factory=dict)


class _Processes:
    """The folders and open descriptors of every process in a trace, as its calls are applied."""

    def __init__(self, cwd: Path) -> None:
        self._states: Dict[str, _State] = {}
        self._first: Optional[_State] = _State(cwd)
        self._last = self._first
        self.cloning: List[str] = []
        """The processes that are in a clone or fork that has not returned, the latest last."""

    def of(self, process: str) -> _State:
        """Return the state of a process; a new one begins with that of the process cloning."""
        if process not in self._states:
            if self._first is not None:
                self._states[process], self._first = self._first, None
            else:
                parent = self._states[self.cloning[-1]] if self.cloning else self._last
                self._states[process] = _State(parent.cwd, dict(parent.descriptors))
        self._last = self._states[process]
        return self._last

    def apply(self, call: _Call) -> Optional[Path]:
        """Follow one call; return the path when it opened one."""
        state = self.of(call.process)
        if call.result < 0:
            return None
        if call.name in {"open", "openat", "openat2"}:
            path = _path(call, state)
            if path is not None:
                state.descriptors[call.result] = path
            return path
        self._move(call, state)
        return None

    def _move(self, call: _Call, state: _State) -> None:
        """Follow a change of folder, a copied descriptor, a new process."""
        number = re.match(r"\s*(\d+)", call.arguments)
        source = state.descriptors.get(int(number.group(1))) if number else None
        if call.name == "chdir":
            state.cwd = _path(call, state) or state.cwd
        elif call.name == "fchdir" and source is not None:
            state.cwd = source
        elif call.name == "close" and number:
            state.descriptors.pop(int(number.group(1)), None)
        elif call.name.startswith("dup") or "F_DUPFD" in call.arguments:
            if source is not None:
                state.descriptors[call.result] = source
        elif call.name in {"clone", "clone3", "fork", "vfork"} and call.result > 0:
            self._states.setdefault(str(call.result), _State(state.cwd, dict(state.descriptors)))
            if re.search(r"\bCLONE_FS\b", call.arguments):
                self._states[str(call.result)] = state


def _path(call: _Call, state: _State) -> Optional[Path]:
    """Return the absolute path that a call names."""
    match = _STRING.search(call.arguments)
    if match is None:
        return None
    name = os.fsdecode(_ESCAPE.sub(_unescaped, os.fsencode(match.group(1))))
    base: Optional[Path] = state.cwd
    folder = re.match(r"\s*(\d+)", call.arguments[:match.start()])
    if folder:
        base = state.descriptors.get(int(folder.group(1)), state.cwd)
    return _normal((base or state.cwd) / name)


def _normal(path: Path) -> Path:
    """Return a path without ``.`` and ``..``, the latter taken as the kernel takes them."""
    parts: List[str] = []
    for part in path.parts[1:]:
        if part == "..":
            parts = list(Path(os.path.realpath(Path("/", *parts))).parent.parts[1:])
        else:
            parts.append(part)
    return Path("/", *parts)


def _unescaped(match: re.Match[bytes]) -> bytes:
    """Return the byte that an escape of strace's stands for."""
    if match.group(1):
        return bytes([int(match.group(1), 16)])
    if match.group(2):
        return bytes([int(match.group(2), 8)])
    return _LETTERS.get(match.group(3), match.group(3))


def _calls(trace: str, processes: _Processes) -> Iterator[_Call]:
    """Yield the calls of a trace as they return, each interrupted one in one piece."""
    begun: Dict[str, str] = {}
    for line in trace.split("\n"):
        process, text = _LINE.match(line).groups()  # type: ignore[union-attr]
        if text.endswith(_UNFINISHED):
            processes.of(process)
            begun[process] = text[:-len(_UNFINISHED)]
            if text.startswith(("clone", "fork", "vfork")):
                processes.cloning.append(process)
            continue
        resumed = _RESUMED.match(text)
        if resumed:
            text = begun.pop(process, f"{resumed.group(1)}(") + resumed.group(2)
            if process in processes.cloning:
                processes.cloning.remove(process)
        match = _CALL.match(text)
        if match:
            yield _Call(process, match.group(1), match.group(2), int(match.group(3)))
