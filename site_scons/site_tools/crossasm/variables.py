"""Construction variables: what an environment says, out as options, programs and argument lists."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Tuple

import SCons.Defaults
import SCons.Errors
import SCons.Scanner
import SCons.Subst
import SCons.Util

from . import commands
from .errors import nearest
from .targets import Target
from .toolchain import Toolchain

__all__ = [
    "COMMANDS", "PROGRAMS", "SHORT_LINES", "VARIABLES", "assembler_for", "command_names",
    "initial", "link_words", "stock", "target_of", "wish",
]

VARIABLES: Mapping[str, str] = {
    "NASM": "the assembler of .asm sources",
    "GAS": "the assembler of .s sources, and of .S sources after the preprocessor",
    "CLANG": "the assembler of .s and .S sources where a target or ASSEMBLER says so",
    "ASCPP": "the preprocessor in front of GAS",
    "ASLD": "the linker of AsmProgram",
    "ASAR": "the archiver of AsmLibrary",
    "AS": "an assembler to run in place of the target's own",
    "ASSEMBLER": "gas or clang, where a target leaves the choice",
    "ASPATH": "include folders",
    "ASDEFINES": "names to define: a list, or a dict of names and values",
    "ASDEBUG": "true: keep symbols and write debug information",
    "ASDEPENDS": "files that the source reads and that no scan can find",
    "ASFLAGS": "flags for every assembler",
    "NASMFLAGS": "flags for NASM only",
    "GASFLAGS": "flags for GAS only",
    "CLANGFLAGS": "flags for clang only",
    "LINK": "a linker to run in place of the target's own",
    "LINKFLAGS": "flags for the linker of AsmProgram",
    "ASLAUNCHER": "a program in front of each assembler; no part of what makes an object stale",
}
"""The variables that a user may set, and what each is for."""

COMMANDS: Mapping[str, str] = {
    "NASMCOM": "$( $ASLAUNCHER $) $_ASM_NASM $_ASM_NASMFLAGS -o $TARGET $SOURCE",
    "GASCOM": "$( $ASLAUNCHER $) $_ASM_GAS $_ASM_GASFLAGS -o $TARGET $SOURCE",
    "ASCPPCOM": "$( $ASLAUNCHER $) $ASCPP $_ASM_CPPFLAGS -o $_ASM_PREPROCESSED $SOURCE",
    "GASPPCOM": "$( $ASLAUNCHER $) $_ASM_GAS $_ASM_GASPPFLAGS -o $TARGET $_ASM_PREPROCESSED",
    "CLANGCOM": "$( $ASLAUNCHER $) $_ASM_CLANG $_ASM_CLANGFLAGS -o $TARGET $SOURCE",
    "CLANGPPCOM": "$( $ASLAUNCHER $) $_ASM_CLANG $_ASM_CLANGPPFLAGS -o $TARGET $SOURCE",
    "ASLDCOM": "$_ASM_LINK $_ASM_LINKFLAGS -o $TARGET $SOURCES $_ASM_STUB",
    "ASARCOM": "$ASAR $_ASM_ARFLAGS $TARGET $SOURCES",
}
"""The command lines; each has a `…STR` that is printed in its place when it is set."""

SHORT_LINES: Mapping[str, str] = {
    "NASMCOMSTR": "NASM   $TARGET",
    "GASCOMSTR": "GAS    $TARGET",
    "ASCPPCOMSTR": "CPP    ${TARGET}.s",
    "GASPPCOMSTR": "GAS    $TARGET",
    "CLANGCOMSTR": "CLANG  $TARGET",
    "CLANGPPCOMSTR": "CLANG  $TARGET",
    "ASLDCOMSTR": "LINK   $TARGET",
    "ASARCOMSTR": "AR     $TARGET",
    "ASCHECKCOMSTR": "CHECK  $SOURCE",
}
"""What a build says in place of whole command lines."""

PROGRAMS = {"NASM": "nasm", "GAS": "gas", "CLANG": "clang", "ASCPP": "cpp", "ASLD": "ld",
            "ASAR": "ar"}
"""The variable of each tool, and the role that it fills."""

_SHARED = ("AS", "ASFLAGS", "ASCOM", "ASCOMSTR", "LINK", "LINKFLAGS", "LINKCOM", "LINKCOMSTR")


def initial(env: Any, chain: Toolchain) -> Dict[str, Any]:
    """Return the variables to set in `env` for `chain`, without those that the user has set."""
    programs = {name: chain.tools.get(role, chain.wanted.get(role, ""))
                for name, role in PROGRAMS.items()}
    flags = {f"_ASM_{row.name.upper()}FLAGS": _flags_of(row)
             for row in commands.ASSEMBLERS.values()}
    own = {
        **programs, **COMMANDS, **flags,
        "ASSEMBLER": "", "ASPATH": [], "ASDEFINES": {}, "ASDEBUG": False, "ASDEPENDS": [],
        "NASMFLAGS": SCons.Util.CLVar(""), "GASFLAGS": SCons.Util.CLVar(""),
        "CLANGFLAGS": SCons.Util.CLVar(""), "ASLAUNCHER": "",
        "_ASM_NASM": _program_of("NASM", "AS"), "_ASM_GAS": _program_of("GAS", "AS"),
        "_ASM_CLANG": _program_of("CLANG", "AS"), "_ASM_LINK": _program_of("ASLD", "LINK"),
        "_ASM_CPPFLAGS": _cpp_flags, "_ASM_PREPROCESSED": _preprocessed,
        "_ASM_LINKFLAGS": _link_flags, "_ASM_ARFLAGS": _ar_flags,
    }
    before = env.get("CROSSASM_SET", {})
    return {name: value for name, value in own.items()
            if name not in env or (name in before and env[name] == before[name])}


def stock(env: Any) -> Dict[str, str]:
    """Return the variables that SCons' own tools share with us, as those tools have left them."""
    return {name: str(env[name]) for name in _SHARED if name in env} if env.get("TOOLS") else {}


def wish(env: Any, name: str) -> Any:
    """Return what the user has set `name` to, or None.

    ``AS``, ``LINK`` and the like also belong to SCons' own tools, whose values are no wish of
    the user's: what stood there when this tool was loaded does not count.
    """
    value = env.get(name)
    return None if not value or str(value) == env["CROSSASM_STOCK"].get(name) else value


def target_of(env: Any) -> Target:
    """Return the target that `env` assembles for."""
    return env["CROSSASM_TOOLCHAIN"].target  # type: ignore[no-any-return]


def assembler_for(env: Any, source: Any) -> commands.Assembler:
    """Return the assembler for a source node; raises UserError where the target has none."""
    target = target_of(env)
    suffix = SCons.Util.splitext(str(source))[1]
    wished = env.subst("$ASSEMBLER")
    if wished not in ("", *commands.CHOICES):
        raise SCons.Errors.UserError(
            f"ASSEMBLER={wished}: no such assembler{nearest(wished, commands.CHOICES)}")
    chosen = commands.choose_assembler(target, suffix, wished)
    if chosen is None:
        known = ", ".join(target.assemblers)
        raise SCons.Errors.UserError(
            f"{source}: {target.name} has no assembler for '{suffix}'; it takes {known}")
    return chosen


def command_names(env: Any, source: Any) -> List[str]:
    """Return the variables that hold the commands from a source node to its object, in order."""
    if wish(env, "ASCOM"):
        return ["ASCOM"]
    name = assembler_for(env, source).name
    return (["ASCPPCOM"] if name == "gaspp" else []) + [f"{name.upper()}COM"]


def _include_dirs(env: Any, target: Sequence[Any], source: Sequence[Any]) -> Tuple[Any, ...]:
    """Return the folders of ``ASPATH`` as nodes, with those of variants and repositories.

    As SCons has it, they are relative to the SConscript that declares the target.
    """
    here = getattr(target[0], "cwd", None) if target else None
    return tuple(SCons.Scanner.FindPathDirs("ASPATH")(env, here or env.fs.Top, target, source))


def _options(env: Any, assembler: commands.Assembler, target: Sequence[Any],
            source: Sequence[Any]) -> commands.Options:
    """Return what `env` asks of `assembler`."""
    return commands.Options(
        path=[str(folder) for folder in _include_dirs(env, target, source)],
        defines=[env.subst(define) for define in SCons.Defaults.processDefines(env["ASDEFINES"])],
        debug=bool(env["ASDEBUG"]),
        flags=[*_words(env, wish(env, "ASFLAGS")),
               *_words(env, env[f"{assembler.variable}FLAGS"])],
        folder=env.fs.Top.get_abspath(),
    )


def link_words(env: Any) -> List[str]:
    """Return what the user tells the linker, as separate arguments."""
    return _words(env, wish(env, "LINKFLAGS"))


def _words(env: Any, value: Any) -> List[str]:
    """Return flags, however given, as separate arguments."""
    words = env.subst_list(SCons.Util.CLVar(value or ""))
    return [str(word) for line in words for word in line]


def _flags_of(assembler: commands.Assembler) -> Any:
    def flags(target: Any, source: Any, env: Any, for_signature: Any) -> List[Any]:
        asked = _options(env, assembler, target, source)
        words = commands.assembler_flags(assembler, target_of(env), asked)
        return [part for word in words for part in _fenced(word, asked.folder)]
    return flags


def _fenced(word: str, folder: str) -> Sequence[Any]:
    """Keep a word that names the build's folder out of signatures: another one rebuilds nothing."""
    literal = SCons.Subst.Literal(word)
    return ("$(", literal, "$)") if f"={folder}=" in word else (literal,)


def _cpp_flags(target: Any, source: Any, env: Any, for_signature: Any) -> List[Any]:
    asked = _options(env, commands.ASSEMBLERS["gaspp"], target, source)
    return _literal(commands.preprocessor_flags(target_of(env), asked))


def _link_flags(target: Any, source: Any, env: Any, for_signature: Any) -> List[Any]:
    linker = env.subst("$_ASM_LINK", target=target, source=source)
    flags = commands.link_flags(target_of(env), linker, debug=bool(env["ASDEBUG"]))
    return _literal([*flags, *link_words(env)])


def _ar_flags(target: Any, source: Any, env: Any, for_signature: Any) -> List[Any]:
    return _literal(target_of(env).archive_flags)


def _preprocessed(target: Any, source: Any, env: Any, for_signature: Any) -> List[Any]:
    return _literal([f"{target[0]}.s"])


def _literal(words: Sequence[str]) -> List[Any]:
    """Return words that the shell is to pass on as they are."""
    return [SCons.Subst.Literal(word) for word in words]


def _program_of(own: str, shared: str) -> Any:
    def program(target: Any, source: Any, env: Any, for_signature: Any) -> str:
        return str(wish(env, shared) or env[own])
    return program
