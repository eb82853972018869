"""Read the signature of a Mach-O file and compare its hashes with the pages that they are of.

Names and layouts are those of Apple's <kern/cs_blobs.h>; all numbers are big-endian:
https://github.com/apple-oss-distributions/xnu/blob/main/osfmk/kern/cs_blobs.h
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Callable, Iterator, Mapping, Tuple

from .fields import Fields, Malformed

__all__ = ["CodeDirectory", "Signature", "bad_pages", "read"]

_MAGIC_EMBEDDED_SIGNATURE, _MAGIC_CODEDIRECTORY = 0xFADE0CC0, 0xFADE0C02
_SLOT_CODEDIRECTORY, _SLOT_CMS = 0, 0x10000
_SLOTS_ALTERNATE = range(0x1000, 0x1005)
_VERSIONS = range(0x20001, 0x30000)
_WITH_SCATTER, _WITH_LIMIT_64 = 0x20100, 0x20300
_FIXED = 44
_PAGE_SIZES = (12, 14)  # as powers of two: the page sizes of macOS
_CS_ADHOC = 0x2


def _sha1(page: bytes) -> bytes:
    return hashlib.sha1(page, usedforsecurity=False).digest()


# hashType to what computes it and how many of its bytes are kept: CS_HASHTYPE_SHA1, _SHA256,
# _SHA256_TRUNCATED, _SHA384.
_HASHES: Mapping[int, Tuple[Callable[[bytes], bytes], int]] = {
    1: (_sha1, 20),
    2: (lambda page: hashlib.sha256(page).digest(), 32),
    3: (lambda page: hashlib.sha256(page).digest(), 20),
    4: (lambda page: hashlib.sha384(page).digest(), 48),
}


@dataclass(frozen=True)
class CodeDirectory:
    """The hashes of a file's pages; sizes in bytes."""

    identifier: str
    ad_hoc: bool
    limit: int
    """codeLimit: how much of the file is hashed."""
    page_size: int
    hash_type: int
    hashes: bytes
    """One after another, in the order of the pages."""


@dataclass(frozen=True)
class Signature:
    """The code directories of one signature, of which the system takes the one it likes best."""

    directories: Tuple[CodeDirectory, ...]
    authority: bool
    """It holds a CMS signature, so it is of somebody with a certificate."""


def read(blob: bytes) -> Signature:
    """Return what the bytes of LC_CODE_SIGNATURE hold. Raises Malformed when damaged."""
    fields = Fields(blob, ">")
    magic, length, count = fields.read("III", 0, "the signature")
    if magic != _MAGIC_EMBEDDED_SIGNATURE:
        raise Malformed(f"a signature of unknown kind ({magic:#x})")
    blobs = fields.part(0, length, "the signature")
    index = list(blobs.table("II", 12, count * 8, "the index of the signature"))
    directories = tuple(_directory(blobs, offset) for slot, offset in index
                        if slot == _SLOT_CODEDIRECTORY or slot in _SLOTS_ALTERNATE)
    return Signature(directories, authority=any(slot == _SLOT_CMS for slot, _ in index))


def _directory(blobs: Fields, offset: int) -> CodeDirectory:
    """Return the code directory at an offset of the signature. Raises Malformed."""
    magic, length = blobs.read("II", offset, "a code directory")
    if magic != _MAGIC_CODEDIRECTORY:
        raise Malformed(f"a code directory of unknown kind ({magic:#x})")
    own = blobs.part(offset, length, "a code directory")
    (version, flags, hashes_at, name_at, _special, count, _limit, hash_size, hash_type,
     _platform, page_bits, _spare) = own.read("IIIIIIIBBBBI", 8, "a code directory")
    if version not in _VERSIONS or page_bits not in _PAGE_SIZES:
        raise Malformed(f"a code directory of unknown version ({version:#x}) "
                        f"or page size (2**{page_bits})")
    if hash_type not in _HASHES or _HASHES[hash_type][1] != hash_size:
        raise Malformed(f"a code directory of unknown hash (type {hash_type}, {hash_size} bytes)")
    hashes = own.part(hashes_at, count * hash_size, "the page hashes").data
    return CodeDirectory(own.text(name_at), bool(flags & _CS_ADHOC), _limit_of(own, version),
                         1 << page_bits, hash_type, hashes)


def _limit_of(own: Fields, version: int) -> int:
    """Return codeLimit, or codeLimit64 where it is there and used."""
    limit = int(own.read("I", 32, "a code directory")[0])
    if version >= _WITH_SCATTER and own.read("I", _FIXED, "a code directory")[0]:
        raise Malformed("a code directory with scattered pages")
    if version >= _WITH_LIMIT_64:
        return int(own.read("Q", 56, "a code directory")[0]) or limit
    return limit


def bad_pages(directory: CodeDirectory, data: bytes) -> Iterator[int]:
    """Yield the number of each page whose hash is wrong, missing, or of no page.

    Pages count from 0 and are those of the file's first `limit` bytes; the last may be short.
    """
    digest, size = _HASHES[directory.hash_type]
    pages = -(-min(directory.limit, len(data)) // directory.page_size)
    for number in range(max(pages, len(directory.hashes) // size)):
        start = number * directory.page_size
        page = data[start:min(start + directory.page_size, directory.limit)]
        if digest(page)[:size] != directory.hashes[number * size:(number + 1) * size]:
            yield number
