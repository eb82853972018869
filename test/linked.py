"""Programs made with the real tools, sound or with one fault: sources and flags in, bytes out."""

from __future__ import annotations

import hashlib
import struct
import subprocess
from pathlib import Path
from typing import Optional, Sequence

from crossasm.binary import check
from crossasm.targets import TARGETS
from crossasm.toolchain import find_toolchain

__all__ = ["ELF_TARGETS", "LIBSYSTEM", "SOUND", "Workshop", "changed", "command", "faults", "llvm",
           "resigned"]

ELF_TARGETS = ("x86_32", "x86_64", "arm64_linux")

_DATA = """
        .data
        .balign 8
word:   .long 7
        .bss
        .balign 8
room:   .space 64
"""

SOUND = {
    "x86_32": """
        .globl _start
_start: mov word, %ebx
        mov %ebx, room
        mov $1, %eax
        int $0x80
""" + _DATA,
    "x86_64": """
        .globl _start
_start: mov word(%rip), %edi
        mov %edi, room(%rip)
        mov $60, %eax
        syscall
""" + _DATA,
    "arm64_linux": """
        .globl _start
_start: adrp x1, word
        ldr w0, [x1, :lo12:word]
        adrp x1, room
        str w0, [x1, :lo12:room]
        mov x8, #93
        svc #0
""" + _DATA,
    "arm64_macos": """
        .globl _main
        .p2align 2
_main:  adrp x1, text@PAGE
        add x1, x1, text@PAGEOFF
        mov x0, #1
        mov x2, #3
        bl _write
        mov w0, #0
        bl _exit
        .data
text:   .ascii "hi\\n"
        .p2align 3
where:  .quad text
""",
}

LIBSYSTEM = "/usr/lib/libSystem.B.dylib"
_STUB = """\
--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos, arm64-ios, x86_64-macos ]
install-name: '{name}'
exports:
  - targets: [ arm64-macos, arm64-ios, x86_64-macos ]
    symbols: [ {symbols} ]
...
"""


def llvm(name: str) -> str:
    """Return the path of an LLVM tool that lies beside the Mach-O linker."""
    linker = find_toolchain(TARGETS["arm64_macos"]).tools["ld"]
    return str(Path(linker).resolve().parent / name)


class Workshop:
    """A folder in which programs are made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = 0

    def path(self, end: str) -> Path:
        """Return a new name in the folder."""
        self.made += 1
        return self.folder / f"{self.made}{end}"

    def run(self, *command: object) -> None:
        done = subprocess.run([str(word) for word in command], cwd=self.folder, check=False,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def assembled(self, target: str, source: str, *flags: str,
                  triple: Optional[str] = None) -> Path:
        """Assemble a source, by clang for macOS and by GAS for the rest."""
        row, out, text = TARGETS[target], self.path(".o"), self.path(".s")
        text.write_text(source, "utf-8")
        tools = find_toolchain(row).tools
        if row.format == "macho":
            self.run(tools["clang"], f"--target={triple or row.triple}", "-c", *flags,
                     text.name, "-o", out)
        else:
            self.run(tools["gas"], *row.gas_flags, *flags, text.name, "-o", out)
        return out

    def nasm(self, target: str, source: str, *flags: str) -> Path:
        """Assemble a source by NASM."""
        out, text = self.path(".o"), self.path(".asm")
        text.write_text(source, "utf-8")
        tools = find_toolchain(TARGETS[target]).tools
        self.run(tools["nasm"], *TARGETS[target].nasm_flags, *flags, text.name, "-o", out)
        return out

    def link(self, target: str, *rest: object, base: Optional[Sequence[str]] = None,
             linker: Optional[str] = None) -> Path:
        """Link objects and flags with the target's own flags, or with `base` in their place."""
        out = self.path("")
        row = TARGETS[target]
        # What a warning is about must get past the linker here: the check is to find it.
        usual = [flag for flag in row.link_flags if flag != "--fatal-warnings"]
        flags = (*usual, "-e", row.entry) if base is None else base
        self.run(linker or find_toolchain(row).tools["ld"], *flags, *rest, "-o", out)
        return out

    def elf(self, target: str, *flags: object, source: Optional[str] = None,
            base: Optional[Sequence[str]] = None) -> bytes:
        """Assemble and link one source, the sound one unless another is given."""
        thing = self.assembled(target, SOUND[target] if source is None else source)
        return self.link(target, *flags, thing, base=base).read_bytes()

    def program(self, target: str) -> Path:
        """Make the sound program of a target, as the tool links it."""
        rest = ["--threads=1", self.stub()] if target == "arm64_macos" else []
        return self.link(target, self.assembled(target, SOUND[target]), *rest)

    def stub(self, name: str = LIBSYSTEM, symbols: str = "_write, _exit, dyld_stub_binder") -> Path:
        """Write a text stub of a library of macOS."""
        out = self.path(".tbd")
        out.write_text(_STUB.format(name=name, symbols=symbols), "utf-8")
        return out

    def macho(self, *flags: object, source: Optional[str] = None,
              base: Optional[Sequence[str]] = None, triple: Optional[str] = None) -> bytes:
        """Assemble and link one source against libSystem; with one thread, for equal bytes."""
        thing = self.assembled("arm64_macos", SOUND["arm64_macos"] if source is None else source,
                            triple=triple)
        return self.link("arm64_macos", "--threads=1", thing, self.stub(), *flags,
                         base=base).read_bytes()


def faults(data: bytes, target: str, *, max_size: Optional[int] = None,
           forbidden: Sequence[str] = ()) -> str:
    """Return what the check says of a program called `prog`, one fault a line."""
    return "\n".join(check(data, TARGETS[target], name="prog", max_size=max_size,
                           forbidden=forbidden).faults)


def changed(data: bytes, at: int, layout: str, value: int) -> bytes:
    """Return the bytes with one number written over."""
    size = struct.calcsize(layout)
    assert 0 <= at <= len(data) - size
    return data[:at] + struct.pack(layout, value) + data[at + size:]


def command(data: bytes, wanted: int, nth: int = 0) -> int:
    """Return the offset of the nth load command of a kind in a Mach-O file."""
    at, found = 32, []
    for _ in range(int.from_bytes(data[16:20], "little")):
        kind, size = struct.unpack_from("<II", data, at)
        found += [at] if kind == wanted else []
        at += size
    return found[nth]


def resigned(data: bytes, algorithm: str = "sha256") -> bytes:
    """Return a program of ld64.lld with right page hashes again, after a test changed its bytes.

    Its signature is at the end: a header of 24 bytes, then a CodeDirectory of SHA-256 hashes,
    whose fields hashSize and hashType are told of another `algorithm`.
    """
    start = data.rindex(bytes.fromhex("fade0cc0"))
    directory = start + int.from_bytes(data[start + 16:start + 20], "big")
    hashes = directory + int.from_bytes(data[directory + 16:directory + 20], "big")
    kind = {"sha1": b"\x14\x01", "sha256": b"\x20\x02"}[algorithm]
    body = data[:directory + 36] + kind + data[directory + 38:]
    pages = (body[at:min(at + 4096, start)] for at in range(0, start, 4096))
    sums = b"".join(hashlib.new(algorithm, page).digest() for page in pages)
    return body[:hashes] + sums + body[hashes + len(sums):]
