"""`./sconsw`: what it decides on machines of all kinds, and real set-ups, cut short and repaired.

A machine is a folder of links to the few system programs that sconsw may use, and of stubs for
package managers and tools; nothing else is on PATH. Real set-ups make a real `.venv` with real
pip, from a folder of wheels that stands in for the package index.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence

import pytest

ROOT = Path(__file__).resolve().parent.parent

AT_REST = ("uname", "cmp", "readlink")
"""All that sconsw may start when nothing is missing."""
AT_WORK = (*AT_REST, "cat", "cp", "env", "flock", "id", "mkdir", "rm", "sed", "sh", "tail", "true")
BUILD_TOOLS = ("nasm", "as", "ld", "aarch64-linux-gnu-ld", "x86_64-linux-gnu-ld", "clang",
               "ld64.lld")
TEST_TOOLS = ("git", "llvm-objdump", "shellcheck", "qemu-aarch64", "strace")


@dataclass(frozen=True)
class Said:
    """What sconsw said and how it ended."""

    status: int
    output: str
    errors: str


class Machine:
    """A checkout and a PATH, in folders of their own; spaces in the path of the checkout."""

    def __init__(self, folder: Path, programs: Sequence[str] = AT_WORK) -> None:
        self.folder = folder
        self.project = folder / "a check out"
        self.bin = folder / "bin"
        (self.project / "requirements").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy2(ROOT / "sconsw", self.project)
        for name in ("build", "test"):
            self.require(name, f"# {name}\n")
        for name in programs:
            (self.bin / name).symlink_to(found(name))

    def require(self, name: str, text: str) -> None:
        (self.project / "requirements" / f"{name}.txt").write_text(text, "utf-8")

    def stub(self, name: str, text: str = "exit 0") -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
        path.chmod(0o755)

    def tools(self, *names: str, without: Sequence[str] = ()) -> None:
        for name in names:
            if name not in without:
                self.stub(name)

    def whole_venv(self) -> None:
        """Put a `.venv` in place whose Python tells folder and arguments, and ends with 7."""
        venv = self.project / ".venv"
        (venv / "bin").mkdir(parents=True)
        scons = venv / "lib/python3.11/site-packages/SCons/__main__.py"
        scons.parent.mkdir(parents=True)
        scons.touch()
        for name in ("build", "test"):
            shutil.copy(self.project / f"requirements/{name}.txt", venv / f"sconsw-{name}.txt")
        python = venv / "bin" / "python"
        python.write_text("#!/bin/sh\npwd\nprintf '[%s]' \"$@\"\nexit 7\n", "utf-8")
        python.chmod(0o755)

    def env(self, more: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
        return {"PATH": str(self.bin), "PIP_CONFIG_FILE": os.devnull, **(more or {})}

    def run(self, *args: str, command: Sequence[str] = (), cwd: Optional[Path] = None,
            env: Optional[Mapping[str, str]] = None, user: Optional[int] = None) -> Said:
        done = subprocess.run(
            [*(command or [str(self.project / "sconsw")]), *args], cwd=cwd or self.folder,
            env=self.env(env), user=user, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=120, check=False)
        return Said(done.returncode, done.stdout, done.stderr)

    def log(self) -> List[str]:
        path = self.folder / "log"
        return path.read_text("utf-8").splitlines() if path.exists() else []


def found(name: str) -> str:
    path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    assert path, f"{name}: not on this machine"
    return path


def files(folder: Path) -> List[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def bare_machine(folder: Path) -> Machine:
    machine = Machine(folder)
    machine.stub("uname", "echo Linux x86_64")
    machine.stub("id", "echo 1000")
    return machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """An x86_64 Linux where an ordinary user without sudo has nothing installed."""
    return bare_machine(tmp_path)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


ORDINARY_USER = 65534 if os.geteuid() == 0 else None
"""Root may write everywhere, so what is not writable shows only to somebody else."""


# Nothing is missing: straight to scons.

def ready_machine(folder: Path) -> Machine:
    machine = Machine(folder, AT_REST)
    machine.tools(*BUILD_TOOLS, *TEST_TOOLS)
    machine.whole_venv()
    return machine


@pytest.fixture
def ready(tmp_path: Path) -> Machine:
    """A machine with all that a build and the tests need, and little more than that on PATH."""
    return ready_machine(tmp_path)


@pytest.mark.parametrize("args", [[], ["test"], ["-n", "arch=x86_64", "two words", "", "'\"$x*"]])
def test_arguments_and_status_pass_through_in_silence(ready: Machine, args: List[str]) -> None:
    said = ready.run(*args)
    shown = "".join(f"[{arg}]" for arg in ("-m", "SCons", "-Q", *args))
    assert said == Said(7, f"{ready.project}\n{shown}", "")


def link_to(target: str, path: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(target)
    return str(path)


def test_runs_from_any_folder_and_through_links(ready: Machine) -> None:
    script = ready.project / "sconsw"
    near = link_to("a check out/sconsw", ready.folder / "near")
    far = link_to("../near", ready.folder / "links" / "far")
    calls = [([str(script)], Path("/")), (["./sconsw"], ready.project),
             (["../sconsw"], ready.project / "requirements"),
             (["/bin/sh", "sconsw"], ready.project),
             ([near], Path("/")), (["links/far"], ready.folder), ([far], Path("/"))]
    for command, cwd in calls:
        said = ready.run("-n", command=command, cwd=cwd, env={"CDPATH": "/"})
        assert said == Said(7, f"{ready.project}\n[-m][SCons][-Q][-n]", ""), command


def test_works_when_found_on_path(ready: Machine) -> None:
    link_to("../a check out/sconsw", ready.bin / "sconsw")
    said = ready.run(command=["/bin/sh", "-c", "sconsw"])
    assert said == Said(7, f"{ready.project}\n[-m][SCons][-Q]", "")


def close(*folders: Path) -> None:
    for folder in folders:
        folder.chmod(0o555)


def test_a_checkout_that_cannot_be_written_serves_when_set_up(public: Path) -> None:
    machine = ready_machine(public)
    close(machine.project, machine.project / ".venv")
    assert machine.run(user=ORDINARY_USER).status == 7


# Something is missing, and this user may not install it.

CALLED = "echo called >> ../log"

CASES = {
    "Linux x86_64": "nasm binutils binutils-aarch64-linux-gnu clang lld",
    "Linux aarch64": "nasm binutils binutils-x86-64-linux-gnu clang lld",
    "Linux riscv64": "nasm binutils-aarch64-linux-gnu binutils-x86-64-linux-gnu clang lld",
}


def here(packages: str) -> str:
    """Leave out what no PATH hides: Debian's LLVM folders, in which sconsw looks as well."""
    llvm = {"clang": "clang", "lld": "ld64.lld"}
    hidden = {package for package, tool in llvm.items()
              if any(Path("/usr/lib").glob(f"llvm-*/bin/{tool}"))}
    return " ".join(name for name in packages.split() if name not in hidden)


@pytest.mark.parametrize("host", CASES)
def test_tells_what_to_install_per_host(machine: Machine, host: str) -> None:
    machine.stub("uname", f"echo {host}")
    machine.stub("apt-get", CALLED)
    machine.whole_venv()
    before = files(machine.folder)
    said = machine.run()
    assert said.status == 2
    first, line = said.errors.splitlines()
    assert first == ("sconsw: not root, and no sudo without a password; run this, then sconsw "
                     "again:")
    assert line.replace("apt-get update && ", "") == (
        f"  apt-get install --no-install-recommends {here(CASES[host])}")
    assert said.output == ""
    assert files(machine.folder) == before


@pytest.mark.parametrize("tool", ["nasm", "as", "ld", "aarch64-linux-gnu-ld"])
def test_one_missing_tool_is_one_package(machine: Machine, tool: str) -> None:
    package = {"as": "binutils", "ld": "binutils",
               "aarch64-linux-gnu-ld": "binutils-aarch64-linux-gnu"}.get(tool, tool)
    machine.tools(*BUILD_TOOLS, without=[tool])
    machine.stub("apt-get")
    machine.whole_venv()
    assert machine.run().errors.endswith(f"apt-get install --no-install-recommends {package}\n")


@pytest.mark.parametrize("tool", TEST_TOOLS)
def test_tests_need_more_than_builds(machine: Machine, tool: str) -> None:
    package = {"qemu-aarch64": "qemu-user-static", "llvm-objdump": "llvm"}.get(tool, tool)
    machine.tools(*BUILD_TOOLS, *TEST_TOOLS, without=[tool])
    machine.stub("apt-get")
    machine.whole_venv()
    assert machine.run().status == 7
    said = machine.run("-n", "test")
    assert said.status == 2
    assert said.errors.endswith(f"apt-get install --no-install-recommends {package}\n")


def test_an_audit_needs_strace(machine: Machine) -> None:
    machine.tools(*BUILD_TOOLS)
    machine.stub("apt-get")
    machine.whole_venv()
    assert machine.run("asm_audit=0").status == 7
    said = machine.run("asm_audit=1")
    assert said.status == 2
    assert said.errors.endswith("apt-get install --no-install-recommends strace\n")
    machine.tools("strace")
    assert machine.run("asm_audit=1").status == 7


@pytest.mark.parametrize("option", ["-h", "-H", "--help", "--version"])
def test_help_needs_no_tools(machine: Machine, option: str) -> None:
    machine.whole_venv()
    assert machine.run(option) == Said(7, f"{machine.project}\n[-m][SCons][-Q][{option}]", "")


def test_sudo_that_wants_a_password_is_named_in_the_line(machine: Machine) -> None:
    machine.tools(*BUILD_TOOLS, without=["nasm"])
    machine.stub("apt-get", CALLED)
    machine.stub("sudo", "exit 1")
    machine.whole_venv()
    said = machine.run()
    assert said.status == 2
    assert said.errors.endswith("sudo apt-get install --no-install-recommends nasm\n")
    assert machine.log() == []


@pytest.mark.parametrize(("manager", "line"), [
    ("dnf", "dnf install nasm binutils binutils-aarch64-linux-gnu ShellCheck"),
    ("pacman", "pacman -S nasm binutils aarch64-linux-gnu-binutils shellcheck"),
    ("brew", "brew install nasm binutils aarch64-linux-gnu-binutils shellcheck"),
    ("", ("install, by whatever means this system has: nasm binutils binutils-aarch64-linux-gnu "
          "shellcheck")),
])
def test_other_package_managers_are_told_their_own_line(
        machine: Machine, manager: str, line: str) -> None:
    machine.tools("clang", "ld64.lld", *TEST_TOOLS, without=["shellcheck"])
    if manager:
        machine.stub(manager, CALLED)
    machine.whole_venv()
    said = machine.run("test")
    assert said == Said(2, "", "sconsw: can install by itself with apt-get only; run this, then "
                               f"sconsw again:\n  {line}\n")
    assert machine.log() == []


@pytest.mark.parametrize("present", [False, True])
def test_a_folder_that_cannot_be_written_is_told_before_anything_is_done(
        public: Path, present: bool) -> None:
    machine = bare_machine(public)
    machine.stub("id", "echo 0")
    machine.stub("apt-get", f"echo called >> {shlex.quote(str(public / 'log'))}")
    (public / "log").touch()
    (public / "log").chmod(0o666)
    if present:
        (machine.project / ".venv").mkdir()
        close(machine.project / ".venv")
    close(machine.project)
    said = machine.run(user=ORDINARY_USER)
    assert said == Said(2, "", f"sconsw: cannot make .venv: {machine.project} is not writable by "
                               "this user; copy the checkout to a folder that is, and run sconsw "
                               "there\n")
    assert machine.log() == []


# Something is missing, and root may install it.

APT = """\
echo "$DEBIAN_FRONTEND $*" >> {log}
case "$*" in *' install '*) {install} ;; esac
"""


def apt(machine: Machine, install: str) -> None:
    """Put an apt-get in place that records how it was called; `install` is what it then does."""
    log = shlex.quote(str(machine.folder / "log"))
    machine.stub("apt-get", APT.format(log=log, install=install))
    machine.stub("dpkg", f"echo dpkg $* >> {log}")


def made(machine: Machine, name: str) -> str:
    """Return the shell command by which an apt-get brings a tool."""
    return f"cp {shlex.quote(str(machine.bin / 'apt-get'))} {shlex.quote(str(machine.bin / name))}"


NASM = ("noninteractive --yes --no-install-recommends -o DPkg::Lock::Timeout=600 install "
        "--fix-broken nasm")


@pytest.mark.parametrize("rights", ["root", "sudo"])
def test_installs_what_is_missing_and_no_more(machine: Machine, rights: str) -> None:
    machine.tools(*BUILD_TOOLS, without=["nasm"])
    machine.whole_venv()
    apt(machine, f"echo noise; echo noise >&2; {made(machine, 'nasm')}")
    if rights == "root":
        machine.stub("id", "echo 0")
    else:
        machine.stub("sudo", '[ "$1" = -n ] && shift && exec "$@"')
    said = machine.run()
    assert (said.status, said.output) == (7, f"{machine.project}\n[-m][SCons][-Q]")
    assert said.errors.splitlines()[0] == "sconsw: installing with apt-get: nasm"
    assert "noise" not in said.errors
    assert [line for line in machine.log() if "update" not in line] == [NASM]


def test_an_installation_cut_short_is_taken_up_again(machine: Machine) -> None:
    machine.tools(*BUILD_TOOLS, without=["nasm"])
    machine.whole_venv()
    machine.stub("id", "echo 0")
    mark = shlex.quote(str(machine.folder / "mark"))
    fail = f"echo x > {mark}; echo 'you must manually run dpkg --configure -a'; exit 100"
    apt(machine, f"[ -e {mark} ] && {made(machine, 'nasm')} || {{ {fail}; }}")
    assert machine.run().status == 7
    log = machine.log()
    first = log.index(NASM)
    assert log[first + 1] == "dpkg --configure -a"
    assert log[first + 2].endswith(" update")
    assert log[first + 3:] == [NASM]


def test_what_apt_says_is_shown_when_it_fails(machine: Machine) -> None:
    machine.tools(*BUILD_TOOLS, without=["nasm"])
    machine.whole_venv()
    machine.stub("id", "echo 0")
    apt(machine, "echo 'E: no such package'; exit 100")
    said = machine.run()
    assert said.status == 2
    assert said.errors.endswith(
        "  E: no such package\nsconsw: apt-get could not install nasm; put right what it says "
        "above, then run sconsw again\n")


def test_a_tool_that_stays_away_after_its_installation_is_told(machine: Machine) -> None:
    machine.tools(*BUILD_TOOLS, without=["nasm"])
    machine.whole_venv()
    machine.stub("id", "echo 0")
    apt(machine, ":")
    said = machine.run()
    assert said.status == 2
    assert said.errors.endswith("sconsw: apt-get has installed nasm, but the tools of nasm are "
                                "still not found: is /usr/bin on PATH?\n")


# Real set-ups: real Python, venv and pip; a folder of wheels in place of the index.

SCONS_MAIN = """\
import os
import signal
import sys

def stop(number, frame):
    os.write(1, b"stopped\\n")  # print must not be entered twice
    sys.exit(42)

signal.signal(signal.SIGINT, stop)
print(sys.argv[2:], flush=True)
if sys.argv[2:] == ["wait"]:
    signal.pause()
"""


def make_wheel(folder: Path, name: str, files_in: Mapping[str, str]) -> str:
    """Write a wheel (PEP 427) of version 1.0; return its line for a list of requirements."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    contents = {
        **files_in,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    record = [f"{info}/RECORD,,"]
    with zipfile.ZipFile(path, "w") as wheel:
        for entry, text in contents.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record.append(f"{entry},sha256={digest.decode().rstrip('=')},{len(text)}")
            wheel.writestr(zipfile.ZipInfo(entry), text)  # without the time: one hash for ever
        wheel.writestr(zipfile.ZipInfo(f"{info}/RECORD"), "\n".join(record) + "\n")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def real_machine(folder: Path) -> Machine:
    """A machine with every tool, the host's Python, and lists of one small package each."""
    machine = Machine(folder)
    machine.tools(*BUILD_TOOLS, *TEST_TOOLS)
    python = shlex.quote(getattr(sys, "_base_executable", sys.executable))
    machine.stub("python3", f'exec {python} "$@"')
    machine.require("build", make_wheel(folder / "wheels", "SCons", {
        "SCons/__init__.py": "", "SCons/__main__.py": SCONS_MAIN}))
    machine.require("test", make_wheel(folder / "wheels", "checks", {"checks.py": ""}))
    return machine


def offline(machine: Machine) -> Dict[str, str]:
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(machine.folder / "wheels")}


def index_at(port: int) -> Dict[str, str]:
    return {"PIP_INDEX_URL": f"http://127.0.0.1:{port}/", "PIP_RETRIES": "1"}


@contextlib.contextmanager
def no_index() -> Iterator[Dict[str, str]]:
    """Settings of pip that name an index at a port where connections are refused."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, so that nobody else takes it, and not listening
        yield index_at(closed.getsockname()[1])


def patient_server() -> socket.socket:
    """A server on a free port, whose `accept` gives up after a minute."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(60)
    return server


OUT_OF_REACH = (
    "the package index is out of reach (NewConnectionError); check the network or pip's settings "
    "(PIP_INDEX_URL names another index), then run sconsw again")


@dataclass(frozen=True)
class Pristine:
    """What the one real set-up left: an empty `.venv`, and the machine with a whole one."""

    blank: Path
    machine: Machine


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Pristine:
    """A machine set up in two runs, the first without network; no HOME, a strict umask."""
    machine = real_machine(tmp_path_factory.mktemp("pristine"))
    before = os.umask(0o077)
    try:
        with no_index() as settings:
            said = machine.run("first", env=settings)
        made_with, installing, failed = said.errors.splitlines()
        assert re.fullmatch(r"sconsw: making \.venv with /.*python3\.\d+", made_with)
        assert installing == "sconsw: installing with pip into .venv: requirements/build.txt"
        assert failed == ("sconsw: could not fetch the Python packages of requirements/build.txt: "
                          + OUT_OF_REACH)
        assert (said.status, said.output) == (2, "")
        blank = machine.folder / "blank"
        shutil.copytree(machine.project / ".venv", blank, symlinks=True)
        said = machine.run("second", env=offline(machine))
        assert said == Said(0, "['second']\n", installing + "\n")
    finally:
        os.umask(before)
    return Pristine(blank, machine)


@pytest.fixture
def used(pristine: Pristine, tmp_path: Path) -> Machine:
    """A copy of a machine that is set up: another folder, and `python -m venv` a quick copy."""
    machine = real_machine(tmp_path)
    shutil.copytree(pristine.machine.project / ".venv", machine.project / ".venv", symlinks=True)
    copy = f"exec cp -a {shlex.quote(str(pristine.blank))}/. .venv/"
    machine.stub("python3", f'case "$2" in -c) echo good "$0" ;; *) {copy} ;; esac')
    return machine


def test_a_second_run_and_one_after_a_move_do_nothing(used: Machine) -> None:
    assert used.run("again") == Said(0, "['again']\n", "")


def test_nothing_but_the_venv_is_left_in_the_checkout(pristine: Pristine) -> None:
    project = pristine.machine.project
    assert sorted(path.name for path in project.iterdir()) == [".venv", "requirements", "sconsw"]
    assert [path.name for path in (project / ".venv").glob("sconsw-*")] == ["sconsw-build.txt"]


def test_what_tests_need_is_added_once(used: Machine) -> None:
    said = used.run("test", env=offline(used))
    assert said == Said(0, "['test']\n",
                        "sconsw: installing with pip into .venv: requirements/test.txt\n")
    assert used.run("test") == Said(0, "['test']\n", "")


def test_a_changed_list_is_installed_again(used: Machine) -> None:
    text = (used.project / "requirements/build.txt").read_text("utf-8")
    used.require("build", f"{text}# one comment more\n")
    said = used.run(env=offline(used))
    assert said == Said(
        0, "[]\n", "sconsw: installing with pip into .venv: requirements/build.txt\n")


@pytest.mark.parametrize(("line", "fault"), [
    (f"checks==1.0 --hash=sha256:{'0' * 64}", "PACKAGES DO NOT MATCH THE HASHES"),
    ("checks==1.0", "Hashes are required"),
])
def test_a_hash_that_is_wrong_or_missing_is_refused_and_harms_nothing(
        used: Machine, line: str, fault: str) -> None:
    used.require("test", f"{line}\n")
    said = used.run("test", env=offline(used))
    assert (said.status, said.output) == (2, "")
    assert fault in said.errors
    assert said.errors.endswith(
        "sconsw: could not fetch the Python packages of requirements/test.txt; put right what pip "
        "says above, then run sconsw again\n")
    assert used.run("build") == Said(0, "['build']\n", "")


def test_no_network_is_one_line_and_harms_nothing(used: Machine) -> None:
    with no_index() as settings:
        said = used.run("test", env=settings)
    assert said == Said(2, "", (
        "sconsw: installing with pip into .venv: requirements/test.txt\n"
        "sconsw: could not fetch the Python packages of requirements/test.txt: "
        f"{OUT_OF_REACH}\n"))
    assert used.run("build") == Said(0, "['build']\n", "")


def lose_python(venv: Path) -> None:
    for path in (venv / "bin").glob("python*"):
        path.unlink()
    (venv / "bin" / "python").symlink_to("/usr/bin/python3.0-gone")


def lose_scons(venv: Path) -> None:
    shutil.rmtree(next(venv.glob("lib/python3*/site-packages/SCons")))


def lose_pip(venv: Path) -> None:
    (venv / "sconsw-build.txt").unlink()
    shutil.rmtree(next(venv.glob("lib/python3*/site-packages/pip")))


def cut_short(venv: Path) -> None:
    (venv / "sconsw-unfinished").touch()


def become_empty(venv: Path) -> None:
    shutil.rmtree(venv)
    venv.mkdir()


def become_a_file(venv: Path) -> None:
    shutil.rmtree(venv)
    venv.touch()


@pytest.mark.parametrize("harm", [lose_python, lose_scons, lose_pip, cut_short, become_empty,
                                  become_a_file])
def test_a_broken_venv_is_made_again(used: Machine, harm: Callable[[Path], None]) -> None:
    harm(used.project / ".venv")
    said = used.run("mended", env=offline(used))
    assert (said.status, said.output) == (0, "['mended']\n")
    assert said.errors.splitlines()[0] == "sconsw: removing .venv: it is not whole"
    assert used.run("mended") == Said(0, "['mended']\n", "")


def test_a_venv_of_the_users_own_is_added_to(used: Machine) -> None:
    (used.project / ".venv/sconsw-build.txt").unlink()
    (used.project / ".venv/mine").touch()
    lose_scons(used.project / ".venv")
    shutil.rmtree(next((used.project / ".venv").glob("lib/python3*/site-packages/SCons-*")))
    said = used.run(env=offline(used))
    assert said == Said(
        0, "[]\n", "sconsw: installing with pip into .venv: requirements/build.txt\n")
    assert (used.project / ".venv/mine").exists()


def test_a_python_that_is_too_old_is_passed_over(used: Machine) -> None:
    shutil.rmtree(used.project / ".venv")
    (used.bin / "python3").rename(used.bin / "python3.9")
    used.stub("python3", "echo old 3.8.10")
    assert used.run(env=offline(used)).status == 0


def test_ctrl_c_reaches_scons_itself(used: Machine) -> None:
    with started(used, "wait") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "['wait']\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "stopped\n"
        assert process.wait(30) == 42


def test_ctrl_c_while_pip_fetches_leaves_what_the_next_run_mends(used: Machine) -> None:
    with patient_server() as index, \
            started(used, "test", env=index_at(index.getsockname()[1])) as process:
        connection, _ = index.accept()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) in (-signal.SIGINT, 128 + signal.SIGINT)
        connection.close()
    assert used.run("build") == Said(0, "['build']\n", "")
    assert used.run("test", env=offline(used)).status == 0


def test_two_at_once_set_up_once(used: Machine) -> None:
    with patient_server() as index:
        env = {**index_at(index.getsockname()[1]),
               "PIP_FIND_LINKS": str(used.folder / "wheels")}
        with started(used, "test", env=env) as first:
            connection, _ = index.accept()
            with started(used, "test", env=env) as second:
                assert second.stderr is not None
                assert second.stderr.readline() == "sconsw: waiting for another sconsw to finish\n"
                index.close()
                connection.recv(4096)
                connection.sendall(b"HTTP/1.0 404 Not Found\r\n\r\n")
                connection.close()
                assert first.communicate(timeout=60) == (
                    "['test']\n", "sconsw: installing with pip into .venv: requirements/test.txt\n")
                assert second.communicate(timeout=60) == ("['test']\n", "")


class started:  # noqa: N801 (reads as a statement)
    """A run of sconsw in a process group of its own, ended with the block or after a minute."""

    def __init__(self, machine: Machine, *args: str,
                 env: Optional[Mapping[str, str]] = None) -> None:
        self.process = subprocess.Popen(
            [str(machine.project / "sconsw"), *args], cwd=machine.folder, env=machine.env(env),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)

        self.limit = threading.Timer(60, self.end)

    def __enter__(self) -> subprocess.Popen[str]:
        self.limit.start()
        return self.process.__enter__()

    def __exit__(self, *error: object) -> None:
        self.limit.cancel()
        self.end()
        self.process.__exit__(None, None, None)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


# What comes with it.

def test_every_requirement_is_pinned_and_hashed() -> None:
    for name, wanted in (("build", {"scons", "tomli"}), ("test", {"pytest", "ruff", "mypy"})):
        text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        entries = [line for line in re.sub(r"\\\n", "", text).splitlines()
                   if line and not line.lstrip().startswith("#")]
        pattern = re.compile(r"([a-z0-9-]+)==[0-9.]+( ; [^-]*)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
        matches = [pattern.fullmatch(entry) for entry in entries]
        assert all(matches), entries
        assert wanted <= {match.group(1) for match in matches if match}


@pytest.mark.parametrize("status", [0, 2])
def test_ci_runs_the_readmes_command(tmp_path: Path, status: int) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy2(ROOT / ".ci" / "run", tmp_path / ".ci")
    script = tmp_path / "sconsw"
    script.write_text(f'#!/bin/sh\necho "$@"\ncat\nexit {status}\n', "utf-8")
    script.chmod(0o755)
    done = subprocess.run(["bash", str(tmp_path / ".ci" / "run")], cwd="/", input="keys", text=True,
                          stdout=subprocess.PIPE, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (status, "test\n")
