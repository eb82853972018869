"""`libsystem` without running it: what its bytes, its imports and its instructions show.

It runs on macOS only; what is shared with `iterative` is shown by the tests of that program.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Dict, List, Mapping

import pytest

from crossasm.binary import Report, check
from crossasm.targets import TARGETS
from linked import llvm
from programs.harness import ROOT, binary

PROGRAM, TARGET = "libsystem", "arm64_macos"
MAX_SIZE = 64 << 10
STUB = ROOT / "site_scons/site_tools/crossasm/libSystem.tbd"
SOURCES = ROOT / "src"
BOTH_SYSTEMS = sorted((SOURCES / "common").glob("arm64-*.inc"))

PAGE = (b"<!doctype html>\n<title>libsystem</title>\n<h1>Hello from arm64 macOS!</h1>\n")
HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 74\r\n"
        b"Connection: close\r\n\r\n")
IMPORTS = {
    "___error", "_accept", "_bind", "_clock_gettime", "_close", "_exit", "_fcntl", "_getsockname",
    "_listen", "_pipe", "_poll", "_read", "_setsockopt", "_shutdown", "_sigaction", "_socket",
    "_write", "_writev",
}

# What Darwin's headers say where Linux's differ: <sys/errno.h>, <sys/socket.h>, <netinet/in.h>,
# <sys/fcntl.h>, <sys/signal.h>, <time.h>.
DARWIN: Mapping[str, int] = {
    "EAGAIN": 35, "ENOTSOCK": 38, "EAFNOSUPPORT": 47, "EADDRINUSE": 48, "EADDRNOTAVAIL": 49,
    "ECONNABORTED": 53, "ENOBUFS": 55, "ETIMEDOUT": 60, "SOL_SOCKET": 0xFFFF, "SO_REUSEADDR": 4,
    "O_NONBLOCK": 4, "SA_RESTART": 2, "CLOCK_MONOTONIC": 6, "SOMAXCONN": 128,
    "SOCKADDR_IN_LENGTH": 0, "SOCKADDR_IN_FAMILY": 1, "SOCKADDR_IN_PORT": 2,
    "SOCKADDR_IN_ADDRESS": 4, "SOCKADDR_IN_SIZE": 16, "SIGACTION_HANDLER": 0, "SIGACTION_MASK": 8,
    "SIGACTION_FLAGS": 12, "SIGACTION_SIZE": 16,
}


@pytest.fixture(scope="module")
def data() -> bytes:
    return binary(PROGRAM, TARGET).read_bytes()


@pytest.fixture(scope="module")
def report(data: bytes) -> Report:
    return check(data, TARGETS[TARGET], name=PROGRAM, max_size=MAX_SIZE)


@pytest.fixture(scope="module")
def code() -> List[str]:
    """Return the instructions in order, without addresses and without the literals among them."""
    done = subprocess.run([llvm("llvm-objdump"), "--macho", "-d", "--no-show-raw-insn",
                           "--no-leading-addr", binary(PROGRAM, TARGET)],
                          capture_output=True, text=True, check=True)
    lines = (re.sub(r"\s+", " ", line).strip() for line in done.stdout.splitlines()[2:])
    return [line for line in lines if line and not line.endswith((":", "@ KIND_DATA"))]


def names(stub: Path) -> List[str]:
    """Return the symbols that a stub lists."""
    lists = re.findall(r"symbols: \[([^]]*)\]", stub.read_text())
    return [name.strip() for each in lists for name in each.split(",")]


# The program ------------------------------------------------------------------------------------

def test_sends_a_page_of_74_bytes_with_its_length(data: bytes) -> None:
    assert len(PAGE) == 74
    lengths = len(PAGE).to_bytes(2, "little") + len(HEAD).to_bytes(2, "little")
    assert data.count(PAGE + lengths + HEAD) == 1


def test_is_sound_signed_and_small(report: Report) -> None:
    """Platform, entry, rights of the segments, and the hash of every page among them."""
    assert report.faults == ()
    assert report.size < MAX_SIZE
    assert report.system == "macOS 11.0"


def test_takes_from_libsystem_what_it_says_and_nothing_else(report: Report) -> None:
    assert report.libraries == ("/usr/lib/libSystem.B.dylib",)
    assert set(report.imports) == IMPORTS | {"dyld_stub_binder"}
    assert set(report.imports) <= set(names(STUB))


def test_says_what_iterative_says(data: bytes) -> None:
    for text in (b"Listening on port ", b"Address already in use", b"libsystem: bind: ",
                 b"usage: libsystem [port]   (0 to 65535, 8585 if none is given)"):
        assert data.count(bytes([len(text)]) + text) == 1, text


def test_knows_the_fields_that_iterative_knows(data: bytes) -> None:
    for name in (b"host", b"content-length", b"transfer-encoding", b"expect"):
        assert data.count(bytes([len(name)]) + name) == 1, name


# Its instructions, by Apple's rules -------------------------------------------------------------

def test_never_enters_the_kernel_by_itself(code: List[str]) -> None:
    assert len(code) > 500
    assert [line for line in code if line.split()[0] in {"svc", "hvc", "smc", "brk", "udf"}] == []


def test_leaves_the_reserved_register_alone(code: List[str]) -> None:
    assert [line for line in code if re.search(r"\b[xw]18\b", line)] == []


def test_has_a_frame_record_wherever_it_calls(code: List[str]) -> None:
    """Each push of the return address makes x29 point at it, and each return pops what was pushed.

    A routine without a frame may not call: its own return address would be lost.
    """
    pushes = [at for at, line in enumerate(code) if line.startswith("stp x29, x30, [sp, #-")]
    assert [code[at + 1] for at in pushes] == ["mov x29, sp"] * len(pushes)
    inside = 0
    for line in code:
        push = re.match(r"stp x29, x30, \[sp, #-(\d+)\]!", line)
        pop = re.match(r"ldp x29, x30, \[sp\], #(\d+)", line)
        if push:
            inside = int(push[1])
        elif pop:
            assert int(pop[1]) == inside, line
        elif line == "ret":
            inside = 0
        elif line.startswith("bl "):
            assert inside, f"{line}: no frame around it"
        assert inside % 16 == 0, line


def test_hands_the_variadic_argument_of_fcntl_over_on_the_stack(code: List[str]) -> None:
    calls = [at for at, line in enumerate(code) if line.endswith("symbol stub for: _fcntl")]
    assert len(calls) == 2
    assert [code[at - 1] for at in calls] == ["str x2, [sp]"] * 2


def test_looks_at_the_result_of_every_call(code: List[str]) -> None:
    """Each call is followed by the comparison with -1, but those that cannot fail or must not."""
    unchecked: Dict[str, int] = {}
    for line, after in zip(code, code[1:]):
        called = re.search(r"symbol stub for: (\w+)", line)
        if called and after != "sxtw x0, w0":
            unchecked[called[1]] = unchecked.get(called[1], 0) + 1
    assert unchecked.pop("___error") == code.count("cmn x0, #1") + 1
    assert unchecked == {"_write": 1}, "the signal handler's"


# Its sources ------------------------------------------------------------------------------------

def constants(source: Path) -> Dict[str, int]:
    """Return the plain numbers that a source gives names to."""
    pattern = re.compile(r"^\s*\.equ\s+(\w+), (0x[0-9a-f]+|-?\d+)\b", re.MULTILINE)
    found = pattern.findall(source.read_text())
    return {name: int(value, 0) for name, value in found}


def test_has_the_numbers_of_darwin() -> None:
    found = constants(SOURCES / "arm64_macos/darwin.inc")
    assert {name: found.get(name) for name in DARWIN} == DARWIN


def code_of(source: Path) -> str:
    """Return a source without comments and without what stands in quotes."""
    bare = re.sub(r'"[^"\n]*"', '""', source.read_text())
    return re.sub(r"//[^\n]*", "", bare)


@pytest.mark.parametrize(
    "source", [*(SOURCES / "arm64_macos").iterdir(), *BOTH_SYSTEMS], ids=lambda each: each.name)
def test_has_no_semicolon_that_would_hide_an_instruction(source: Path) -> None:
    assert ";" not in code_of(source)


@pytest.mark.parametrize("source", BOTH_SYSTEMS, ids=lambda each: each.name)
def test_shares_what_is_of_neither_system(source: Path) -> None:
    assert re.findall(r"\b(svc|x18|w18)\b|@PAGE|:lo12:", code_of(source)) == []


def routines(folder: Path, program: str) -> List[str]:
    """Return the labels of a program's own routines and data, in order, but no local ones."""
    parts = [folder / f"{program}.s", *(folder / f"{program}-{part}.inc"
                                        for part in ("accept", "serve"))]
    text = "".join(part.read_text() for part in parts)
    return re.findall(r"^([a-z_]\w*):", text, re.MULTILINE)


def test_has_the_routines_of_iterative_in_the_same_order() -> None:
    mine = routines(SOURCES / "arm64_macos", "libsystem")
    theirs = routines(SOURCES / "arm64_linux", "iterative")
    assert mine[:2] == ["page_body", "_main"]
    assert theirs[:2] == ["hello_body", "_start"]
    assert "serve_connection" in mine
    assert [name for name in mine[2:] if name != "set_nonblocking"] == [
        name for name in theirs[2:] if name != "echo"]


# The stub ---------------------------------------------------------------------------------------

def link(folder: Path, symbols: List[str]) -> subprocess.CompletedProcess[str]:
    """Link a program that takes the address of each symbol, against the stub alone."""
    source, linked = folder / "all.s", folder / "all"
    source.write_text(".globl _main\n_main: ret\n.data\n" + "".join(
        f".quad {symbol}\n" for symbol in symbols))
    target = TARGETS[TARGET]
    assembler = ["clang", f"--target={target.triple}", "-c", "-o", folder / "all.o", source]
    subprocess.run([str(word) for word in assembler], check=True)
    flags = [flag for flag in target.link_flags if flag != "-dead_strip"]
    linker = [llvm("ld64.lld"), *flags, "-e", target.entry, "-o", linked,
              folder / "all.o", STUB]
    return subprocess.run([str(word) for word in linker], capture_output=True, text=True,
                          check=False)


def test_the_stub_offers_every_name_that_it_lists(tmp_path: Path) -> None:
    listed = names(STUB)
    assert len(listed) == len(set(listed)), "a name stands twice"
    assert [name for name in listed if not re.fullmatch(r"_\w+|dyld_stub_binder", name)] == []
    done = link(tmp_path, listed)
    assert (done.returncode, done.stderr) == (0, "")
    made = check((tmp_path / "all").read_bytes(), TARGETS[TARGET], name="all", max_size=None)
    assert set(listed) <= {*made.imports, "dyld_stub_binder"}


def test_the_stub_offers_no_other_name(tmp_path: Path) -> None:
    done = link(tmp_path, ["_write", "_epoll_wait"])
    assert done.returncode != 0
    assert "undefined symbol: _epoll_wait" in done.stderr
    assert "_write" not in done.stderr
