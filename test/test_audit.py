# ruff: noqa: E501 (a trace stands in one row)
"""strace's words for every way to open a file, and what opened_files makes of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossasm.audit import opened_files, strace_command

TRACES = {
    "absolute": ('1 openat(AT_FDCWD, "{top}/a", O_RDONLY) = 3', {"a"}),
    "relative": ('1 openat(AT_FDCWD, "a", O_RDONLY|O_CLOEXEC) = 3', {"a"}),
    "open": ('1 open("sub/b", O_RDONLY) = 3', {"sub/b"}),
    "read-and-write": ('1 open("a", O_RDWR) = 3', {"a"}),
    "openat2": ('1 openat2(AT_FDCWD, "a", {{flags=O_RDONLY, resolve=0}}, 24) = 3', {"a"}),
    "no-process-number": ('openat(AT_FDCWD, "a", O_RDONLY) = 3', {"a"}),
    "pid-form": ('[pid  7] openat(AT_FDCWD, "a", O_RDONLY) = 3', {"a"}),
    "failed": ('1 openat(AT_FDCWD, "a", O_RDONLY) = -1 ENOENT (No such file or directory)', set()),
    "write-only": ('1 openat(AT_FDCWD, "a", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3', set()),
    "path-only": ('1 openat(AT_FDCWD, "a", O_RDONLY|O_PATH) = 3', set()),
    "directory": ('1 openat(AT_FDCWD, "sub", O_RDONLY|O_DIRECTORY) = 3', set()),
    "folder-without-saying-so": ('1 openat(AT_FDCWD, "sub", O_RDONLY) = 3', set()),
    "device": ('1 openat(AT_FDCWD, "/dev/null", O_RDONLY) = 3', set()),
    "gone": ('1 openat(AT_FDCWD, "gone", O_RDONLY) = 3', set()),
    "hexadecimal": (r'1 openat(AT_FDCWD, "\x73\x75\x62\x2f\x62", O_RDONLY) = 3', {"sub/b"}),
    "octal": (r'1 openat(AT_FDCWD, "\141", O_RDONLY) = 3', {"a"}),
    "quote": (r'1 openat(AT_FDCWD, "q\"\\ \n", O_RDONLY) = 3', {'q"\\ \n'}),
    "not-utf8": (r'1 openat(AT_FDCWD, "\xff", O_RDONLY) = 3', {"\udcff"}),
    "dots": ('1 openat(AT_FDCWD, "./sub/../a", O_RDONLY) = 3', {"a"}),
    "dots-through-a-link": ('1 openat(AT_FDCWD, "link/../a", O_RDONLY) = 3', {"deep/a"}),
    "chdir": ('1 chdir("sub") = 0\n1 open("b", O_RDONLY) = 3', {"sub/b"}),
    "chdir-failed": ('1 chdir("sub") = -1 EACCES (x)\n1 open("a", O_RDONLY) = 3', {"a"}),
    "fchdir": ('1 open("sub", O_RDONLY) = 5\n1 fchdir(5) = 0\n1 open("b", O_RDONLY) = 3',
               {"sub/b"}),
    "dirfd": ('1 openat(AT_FDCWD, "sub", O_RDONLY|O_DIRECTORY) = 5\n1 openat(5, "b", O_RDONLY) = 6', {"sub/b"}),
    "dirfd-copied": ('1 open("sub", O_PATH) = 5\n1 fcntl(5, F_DUPFD_CLOEXEC, 9) = 9\n1 close(5) = 0\n1 openat(9, "b", O_RDONLY) = 6', {"sub/b"}),
    "unfinished": ('1 openat(AT_FDCWD, "a", O_RDONLY <unfinished ...>\n2 openat(AT_FDCWD, "sub/b", O_RDONLY) = 3\n1 <... openat resumed>) = 3', {"a", "sub/b"}),
    "unfinished-in-two": ('1 openat(AT_FDCWD, "a", <unfinished ...>\n1 <... openat resumed>O_RDONLY) = 3', {"a"}),
    "unfinished-failed": ('1 openat(AT_FDCWD, "a", O_RDONLY <unfinished ...>\n1 <... openat resumed>) = -1 ENOENT (No such file)', set()),
    "child-inherits-the-folder": ('1 chdir("sub") = 0\n1 fork() = 2\n1 chdir("..") = 0\n2 open("b", O_RDONLY) = 3', {"sub/b"}),
    "child-before-its-parent-returns": (
        '1 chdir("sub") = 0\n1 vfork( <unfinished ...>\n2 open("b", O_RDONLY) = 3\n1 <... vfork resumed>) = 2', {"sub/b"}),
    "child-has-its-own-folder": ('1 fork() = 2\n2 chdir("sub") = 0\n1 open("a", O_RDONLY) = 3',
                                 {"a"}),
    "thread-shares-the-folder": ('1 clone(child_stack=0x1, flags=CLONE_VM|CLONE_FS) = 2\n2 chdir("sub") = 0\n1 open("b", O_RDONLY) = 3', {"sub/b"}),
    "other-lines": ('1 --- SIGCHLD {{si_signo=SIGCHLD}} ---\n1 +++ exited with 0 +++\n1 close(3) = 0\n\n1 open("a", O_RDONLY) = 3', {"a"}),
    "annotated": ('1 openat(AT_FDCWD</x>, "a", O_RDONLY) = 3</x/a>', {"a"}),
}


@pytest.fixture(name="top")
def make_top(tmp_path: Path) -> Path:
    for name in ("a", "sub/b", 'q"\\ \n', "\udcff", "deep/a", "deep/er/c"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.touch()
    (tmp_path / "link").symlink_to("deep/er")
    return tmp_path


@pytest.mark.parametrize("name", TRACES)
def test_trace(name: str, top: Path) -> None:
    trace, files = TRACES[name]
    said = opened_files(trace.format(top=top), top)
    assert said == {top / file for file in files}


def test_a_real_trace_of_several_processes(top: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "import os; os.chdir('sub'); os.system('cat b ../a >../out'); open('../gone')"
    done = subprocess.run([*strace_command(str(log)), sys.executable, "-c", script], cwd=top,
                          check=False, capture_output=True)
    said = opened_files(log.read_text("ascii"), top)
    assert done.returncode == 1
    assert {path for path in said if top in path.parents} == {top / "sub/b", top / "a"}
    assert Path(os.path.realpath(sys.executable)) not in said
