"""Random include trees that assemble: every form, quoting, comment and nesting, from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Callable, Dict, List, Sequence, Tuple

__all__ = ["Grown", "grow"]

_FOLDERS = ("", "one/", "two/", "sub/")
_JUNK = ("it's", '"open', "/* c */", "\\", "// x", "; y", "# z", "`t", "@", "include", "'", '"',
         "%1", "*/", "a.i", '"x.i"', "incbin")


@dataclass(frozen=True)
class Grown:
    """One random project: the text of the source, and every other file by path."""

    text: str
    files: Dict[str, str]


def grow(seed: int, dialect: str) -> Grown:
    """Return the tree that grows from `seed`; file n includes only files after it."""
    dice = random.Random(f"{seed} {dialect}")  # noqa: S311 (nothing secret)
    count = dice.choice((2, 4, 8, 17))
    chain = dice.random() < 0.3
    whole = dice.randrange(count + 1) if dialect.startswith("cpp") else 0
    # In a preprocessed tree, the files from `whole` on are read by the assembler alone.
    kinds = [dialect if number < whole else dialect.replace("cpp-", "") for number in range(count)]
    names = [f"f{number}.i" for number in range(count)]
    places = [dice.choice(_FOLDERS) for _ in names]
    spellings = [_spelling(dice, *pair) for pair in zip(names, places)]
    files = {"one/_": "", "two/_": "", "sub/_": ""}
    for number, kind in enumerate(kinds):
        last = number + 2 if chain else count
        reach = list(zip(spellings, kinds))[number + 1:last]
        files[places[number] + names[number]] = _text(dice, kind, reach)
        if dice.random() < 0.3:  # another of the same name, which hides it or is hidden
            files.setdefault(dice.choice(_FOLDERS) + names[number], _text(dice, kind, []))
    return Grown(_text(dice, dialect, [(spellings[0], kinds[0])]), files)


def _spelling(dice: random.Random, name: str, folder: str) -> str:
    """Return one of the names that lead to a file from the working folder or an include folder."""
    full = folder + name
    ways = [full, f"./{full}", f"sub/../{full}"]
    return dice.choice([*ways, name, name] if folder in {"one/", "two/"} else ways)


def _text(dice: random.Random, dialect: str, reach: Sequence[Tuple[str, str]]) -> str:
    """Return a text that names one or several of `reach`, among what only looks like it."""
    lines: List[str] = []
    for _ in range(dice.choice((1, 1, 2)) if reach else 0):
        name, kind = dice.choice(reach)
        lines += [_noise(dice, dialect) for _ in range(dice.randrange(3))]
        lines.append(_naming(dice, dialect, name, kind))
    lines += [_noise(dice, dialect) for _ in range(dice.randrange(3))]
    end = "\r\n" if dialect in {"nasm", "cpp-gas-x86"} and dice.random() < 0.1 else "\n"
    return "".join(f"{line}\n" for line in lines).replace("\n", end)


def _naming(dice: random.Random, dialect: str, name: str, kind: str) -> str:
    """Return lines in `dialect` that read `name`, a file in the dialect `kind`."""
    if dialect == "nasm":
        return _nasm(dice, dialect, name)
    if kind.startswith("cpp"):
        return _cpp(dice, name)
    ways = [_gas, _gas, _gas_made]
    return dice.choice([*ways, _cpp_made] if dialect.startswith("cpp") else ways)(
        dice, dialect, name)


def _junk(dice: random.Random, *without: str) -> str:
    words = [word for word in _JUNK if not any(part in word for part in without)]
    return " ".join(dice.choice(words) for _ in range(dice.randrange(1, 5)))


def _noise(dice: random.Random, dialect: str) -> str:
    """Return lines that read nothing, but for what a scanner might take for a file."""
    return dice.choice(_NOISE["nasm" if dialect == "nasm" else "gas"])(dice, dialect)


def _comment(dice: random.Random, dialect: str) -> str:
    """Return a comment to the end of the line, as the dialect writes it."""
    signs = {"nasm": ";", "gas-x86": "#", "clang-x86": "#"}
    sign = signs.get(dialect, "//")
    return f"{sign} {_junk(dice, chr(92), '/*', '*/')}"


def _nasm_string(dice: random.Random, _dialect: str) -> str:
    words = _junk(dice, "'", "\\", "`")
    return dice.choice((f"db '{words}'", "db `\\`\\\\`, ';'", 'db "%include \'x.i\'"'))


def _nasm_dead(dice: random.Random, _dialect: str) -> str:
    return f"%if 0\n{_junk(dice, chr(92))}\n%endif"


def _gas_string(dice: random.Random, _dialect: str) -> str:
    words = _junk(dice, '"', "\\")
    return dice.choice((f'.ascii "{words}"', '.ascii "\\"", "\\\\"', ".byte '\"', 1",
                        f'.ascii "/*" /* {_junk(dice, "*/", chr(92))} */'))


def _gas_dead(dice: random.Random, dialect: str) -> str:
    if dialect.startswith("cpp"):
        return f"#if 0\n{_junk(dice, chr(92), '/*', '*/')}\n#endif"
    return f'.if 0\n.ascii "{_junk(dice, chr(34), chr(92))}"\n.endif'


def _gas_block(dice: random.Random, _dialect: str) -> str:
    return f"/* {_junk(dice, '*/')}\n{_junk(dice, '*/', chr(92))} */"


_NOISE: Dict[str, Tuple[Callable[[random.Random, str], str], ...]] = {
    "nasm": (_comment, _nasm_string, _nasm_dead),
    "gas": (_comment, _gas_string, _gas_dead, _gas_block),
}


def _cased(dice: random.Random, word: str) -> str:
    return dice.choice((word, word, word.upper(), word.title()))


def _nasm(dice: random.Random, dialect: str, name: str) -> str:
    """Return NASM lines that read `name`, as text or as bytes."""
    quote = dice.choice("\"'`")
    quoted = f"{quote}{name}{quote}"
    include = f"%{_cased(dice, 'include')}{dice.choice((' ', chr(9), ''))}"
    tail = dice.choice(("", f" {_comment(dice, dialect)}"))
    stem, ending = name[:-2], name[-2:]
    macro = f"m{dice.randrange(10 ** 9)}"  # NASM crashes when a macro goes while it is expanded
    return dice.choice((
        f"{include}{quoted}{tail}",
        f"{include}{quoted}{tail}",
        f"  {include}\\\n{quoted}{tail}",
        f"%{{include}} {quoted}",
        f"%push\n%$l: {_cased(dice, 'incbin')} {quoted}, 0{tail}\n%pop",
        f"%push\n%$l times 2 incbin {quoted}\n%pop",
        f"%if 1\n{include}{quoted}\n%else\n%include 'f99.i'\n%endif",
        f"%ifdef X\nincbin 'f98.i'\n%else\n{include}{quoted}\n%endif",
        f"%define N {quoted}\n%include N",
        f"%strcat N '{stem}', \"{ending}\"\n%include N",
        f"%define N {quoted}\ntimes 2 incbin N",
        f"%imacro {macro} 1-2\n%include %1\n%endmacro\n{macro} {quoted}",
        f"%macro {macro} 2\nin%1 %2\n%endmacro\n{macro} cbin, {quoted}",
        f"%rep 2\n{include}{quoted}\n%endrep",
        f"%undef P\n%pathsearch P {quoted}\n%include P",
        f"%define I in\nI %+ cbin {quoted}",
        f"%if ($ - $$) >= 0\n%define N {quoted}\n%else\n%define N 'f97.i'\n%endif\nincbin N",
    ))


def _gas(dice: random.Random, dialect: str, name: str) -> str:
    """Return GAS lines that read `name`, with the name in the text."""
    include, incbin = _cased(dice, ".include"), _cased(dice, ".incbin")
    tail = dice.choice(("", f" {_comment(dice, dialect)}", " /* c */"))
    two = "%%" if "macos" in dialect else ";"
    return dice.choice((
        f'{include} "{name}"{tail}',
        f'{include} "{name}"{tail}',
        f'\t{include}\t"{name}"{tail}',
        f'1: 2: {incbin} "{name}", 0{tail}',
        f'nop {two} {incbin} "{name}"',
        f'/* {_junk(dice, "*/", chr(92))} */ {include} "{name}"',
        f'{include} /* " */ "{name}"',
        f'.if 1\n{include} "{name}"\n.else\n.include "f99.i"\n.endif',
        f'.ifdef X\n.incbin "f98.i"\n.else\n{incbin} "{name}"\n.endif',
        f'.rept 2\n{include} "{name}"\n.endr',
    ))


def _gas_made(dice: random.Random, _dialect: str, name: str) -> str:
    """Return GAS lines that read `name`, where the name or the directive is made by a macro."""
    stem, ending = name[:-2], name[-2:]
    return dice.choice((
        f'.macro mf f\n.purgem mf\n.include "\\f"\n.endm\nmf "{name}"',
        f'.macro mf f\n.purgem mf\n.include "\\f\\(){ending}"\n.endm\nmf "{stem}"',
        f'.macro mf f, g\n.purgem mf\n.\\f\\g "{name}"\n.endm\nmf inc, bin',
        f'.macro mf op\n.purgem mf\n\\op "{name}"\n.endm\nmf .include',
        f'.irp f, "{name}", "{name}"\n.include "\\f"\n.endr',
    ))


def _cpp(dice: random.Random, name: str) -> str:
    """Return lines that have the preprocessor read `name`."""
    return dice.choice((
        f'#include "{name}"',
        f'# include "{name}" // "x"',
        f"#include <{name}>" if "/" not in name else f'#include"{name}"',
        f'/* " */ # /* c\n */ include "{name}"',
        f'#inc\\\nlude \\\n "{name}"',
        f'#if 1\n#include "{name}"\n#else\n#include "f97.i"\n#endif',
        f'#if __has_include("{name}")\n#include "{name}"\n#endif',
        f'#undef N\n#define N "{name}"\n#include N',
    ))


def _cpp_made(dice: random.Random, _dialect: str, name: str) -> str:
    """Return lines that the preprocessor makes a directive of, to read `name`."""
    return dice.choice((
        f'#undef N\n#define N "{name}"\n.include N',
        f'#undef I\n#define I .include "{name}"\nI',
        f'#undef I\n#define I .include\nI "{name}"',
        f'#undef D\n#define D(x) .inc##x "{name}"\nD(lude)',
        f'#if 1\n.include "{name}"\n#else\n#include "f97.i"\n#endif',
        f'.inc\\\nlude "{name}"',
    ))
