"""Every command in the documents is run, and prints what the document shows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Iterator, List, Mapping, Optional, Tuple

import pytest

from crossasm.scons_main import ARGUMENTS
from crossasm.variables import COMMANDS, VARIABLES
from tree import NASM_EXIT, REPOSITORY, clean_env, project_files

SET_UP = ("./sconsw test\n", ".venv/bin/python -m pytest")
"""Commands that are not run here: they are what runs these tests."""

Step = Tuple[str, List[str]]


def documents() -> List[str]:
    return [name for name in project_files() if name.endswith(".md") and blocks(name)]


def blocks(name: str) -> List[Tuple[int, List[Step]]]:
    """Return the console blocks of a document: line number, then commands and what they print."""
    text = (REPOSITORY / name).read_text("utf-8")
    found = []
    for match in re.finditer(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        number = text.count("\n", 0, match.start()) + 1
        steps = list(steps_of(match.group(1)))
        if not all(f"{command}\n".startswith(SET_UP) and not shown for command, shown in steps):
            found.append((number, steps))
    return found


def steps_of(block: str) -> Iterator[Step]:
    command = ""
    shown: List[str] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:], []
        else:
            shown.append(line)
    yield command, shown


def cases() -> List[object]:
    """Return README's blocks as one story, and each block of another document as its own."""
    found: List[object] = []
    for name in documents():
        stories = blocks(name)
        if name == "README.md":
            stories = [(stories[0][0], [step for _, steps in stories for step in steps])]
        found += [pytest.param(steps, id=f"{name}:{number}") for number, steps in stories]
    return found


def pattern_of(shown: str) -> str:
    """Return the pattern of a line: ``…`` is anything, and a size is any size.

    The same sources make programs of other sizes with another release of the linker.
    """
    if shown.endswith(" %"):
        words = (r"[\d,]+" if word[0].isdigit() else re.escape(word) for word in shown.split())
        return " +".join(words)
    return re.escape(shown).replace("…", ".*")


@pytest.mark.parametrize("steps", cases())
def test_a_command_prints_what_the_document_shows(checkout: Path, steps: List[Step]) -> None:
    for command, shown in steps:
        done = subprocess.run(["/bin/bash", "-c", command], cwd=checkout, env=clean_env(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=300, check=False)
        pattern = "\n".join(map(pattern_of, shown))
        said = done.stdout.rstrip("\n")
        assert re.fullmatch(pattern, said, re.DOTALL), f"$ {command}\n{said}"


def test_the_readmes_program_can_be_built(checkout: Path) -> None:
    text = (REPOSITORY / "README.md").read_text("utf-8")
    block = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert block
    with (checkout / "crossasm.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + block.group(1))
    (checkout / "src/x86_64/hello.asm").write_text(NASM_EXIT, "utf-8")
    done = subprocess.run([checkout / "sconsw", "build-hello"], cwd=checkout, env=clean_env(),
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_links_between_documents_lead_somewhere() -> None:
    for name in [*documents(), "CONTRIBUTING.md"]:
        text = (REPOSITORY / name).read_text("utf-8")
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            if "://" not in target:
                assert ((REPOSITORY / name).parent / target).exists(), f"{name}: {target}"


@pytest.mark.parametrize(("heading", "rows"), [
    ("Variables", VARIABLES),
    ("Command lines", dict.fromkeys(COMMANDS)),
    ("On the command line of a TOML project",
     {f"{name}=": text for name, text in ARGUMENTS.items()}),
])
def test_the_reference_has_what_the_code_has(
    heading: str, rows: Mapping[str, Optional[str]],
) -> None:
    page = (REPOSITORY / "docs/reference/builders.md").read_text("utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    shown = dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", section, re.MULTILINE))
    assert shown.keys() == rows.keys()
    for name, text in rows.items():
        assert text is None or shown[name] == text
