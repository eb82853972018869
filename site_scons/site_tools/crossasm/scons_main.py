"""The command line of a project's own SConstruct: arguments in; nodes, aliases, report out."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, NoReturn, Sequence, Tuple

import SCons.Errors
import SCons.Node.Alias
import SCons.Script

from . import audit, config
from .errors import CrossasmError, nearest
from .helptext import help_text
from .project import Project
from .scons_guard import misleading, trace_of
from .scons_nodes import install
from .scons_project import Linked, build_project, environment, require_tools, toolchains
from .scons_report import report_on
from .targets import TARGETS, Target, parse_arch
from .toolchain import Toolchain, find_toolchain
from .variables import SHORT_LINES

__all__ = ["ARGUMENTS", "load_tool"]

ARGUMENTS: Mapping[str, str] = {
    "arch": "the targets to build, between commas; all without it",
    "asm_audit": "1: watch each assembler with strace, fail on a file that is not tracked",
    "V": "1: show whole command lines",
}
"""What may stand as ``name=value`` on the command line."""


def load_tool(env: Any, target: str = "", **unknown: str) -> None:
    """Give `env` this tool for `target`, or for the host's own target."""
    for name, value in unknown.items():
        raise SCons.Errors.UserError(
            f"crossasm {name}={value}: no such option{nearest(name, ['target'])}")
    try:
        rows = parse_arch(target) if target else (_host_target(),)
    except CrossasmError as fault:
        raise SCons.Errors.UserError(str(fault).replace("arch=", "crossasm target=", 1)) from None
    if len(rows) > 1:
        raise SCons.Errors.UserError(f"crossasm target={target}: takes one target; use a clone of "
                                     "the environment for each")
    install(env, find_toolchain(rows[0]))
    env.AddMethod(_main, "CrossAsmMain")


def _host_target() -> Target:
    host = (platform.system(), platform.machine())
    rows = [row for row in TARGETS.values() if row.host == host]
    return max(rows or TARGETS.values(), key=lambda row: row.bits)


def _main(env: Any, toml: str = "crossasm.toml") -> List[Linked]:
    """Build what `toml` names, as the command line asks; the SConstruct is that project's own.

    Ends the run with status 2 and a line per fault when the command line, the file or the host
    does not allow it. Returns what is built.
    """
    try:
        return _prepare(env, toml)
    except CrossasmError as faults:
        _stop(str(faults))


def _stop(text: str) -> NoReturn:
    for line in text.splitlines():
        sys.stderr.write(f"crossasm: {line}\n")
    sys.stdout.flush()
    sys.exit(2)


def _prepare(env: Any, toml: str) -> List[Linked]:
    asked = _arguments(SCons.Script.ARGLIST)
    SCons.Script.SetOption("max_drift", -1)  # a file may change and keep an old time
    fault = misleading(env)
    if fault:
        raise CrossasmError(fault)
    targets = parse_arch(asked["arch"]) if "arch" in asked else tuple(TARGETS.values())
    project = config.load(Path(toml))
    if SCons.Script.GetOption("help"):
        others = map(str, SCons.Node.Alias.default_ans)
        env.Help(help_text(project, toolchains(project, TARGETS.values()), ARGUMENTS, others))
        return []
    chains = toolchains(project, targets)
    if not SCons.Script.GetOption("clean"):
        require_tools(project, targets, chains)
    envs = {row.name: _environment(chains[row.name], asked) for row in targets}
    built = build_project(project, envs, env.fs.Dir(str(project.root)))
    if "asm_audit" in asked:
        _audit(envs, built)
    _declare_aliases(env, project, targets, built)
    _refuse_unknown_targets(env)
    _check_what_is_linked(built)
    report_on(list(envs.values()), built)
    return built


def _arguments(words: Sequence[Tuple[str, str]]) -> Dict[str, str]:
    """Return the arguments that are switched on; raises CrossasmError for an unknown one."""
    given = dict(words)
    faults = [f"{name}={value}: no such argument{nearest(name, ARGUMENTS)}"
              for name, value in words if name not in ARGUMENTS]
    faults += [f"{name}={given[name]}: given more than once; put commas between targets"
               for name in given if [word for word, _ in words].count(name) > 1]
    switches = {name: value for name, value in given.items() if name in ("V", "asm_audit")}
    faults += [f"{name}={value}: takes 0 or 1"
               for name, value in switches.items() if value not in ("0", "1")]
    if faults:
        raise CrossasmError(*faults)
    return {name: value for name, value in given.items() if switches.get(name) != "0"}


def _environment(chain: Toolchain, asked: Mapping[str, str]) -> Any:
    return environment(chain, **({} if "V" in asked else SHORT_LINES))


def _audit(envs: Mapping[str, Any], built: Sequence[Linked]) -> None:
    """Run every assembler again, under strace."""
    if not shutil.which("strace"):
        raise CrossasmError("asm_audit=1: needs strace, which is not on PATH; install the package "
                            "strace, or leave asm_audit out")
    for env in envs.values():
        env.Replace(_ASM_TRACE=trace_of, ASLAUNCHER=audit.strace_command("$_ASM_TRACE"))
    for linked in built:
        envs[linked.build.target].AlwaysBuild(linked.objects)
        envs[linked.build.target].NoCache(linked.objects)


def _declare_aliases(env: Any, project: Project, targets: Sequence[Target],
                     built: Sequence[Linked]) -> None:
    """Declare `build`, and `build-` with each target and program that the arguments leave."""
    checks = [linked.check for linked in built]
    for target in targets:
        env.Alias(f"build-{target.name}",
                  [linked.check for linked in built if linked.build.target == target.name])
    for program in project.programs:
        nodes = [linked.check for linked in built if linked.build.program == program.name]
        if nodes:
            env.Alias(f"build-{program.name}", nodes)
    env.Default(env.Alias("build", checks))


def _refuse_unknown_targets(env: Any) -> None:
    """Raise CrossasmError for a target on the command line that is no alias, file or product."""
    aliases = SCons.Node.Alias.default_ans
    faults = []
    for word in SCons.Script.COMMAND_LINE_TARGETS:
        node = aliases.lookup(word) or env.fs.Entry(word)
        if not (node.exists() or node.is_derived() or _holds_products(node)):
            faults.append(f"{word}: no such alias or file{nearest(word, map(str, aliases))}")
    if faults:
        raise CrossasmError(*faults)


def _check_what_is_linked(built: Sequence[Linked]) -> None:
    """Have a program that the command line names by its file checked too."""
    wanted = {str(linked.program): linked.check for linked in built}
    for word in SCons.Script.COMMAND_LINE_TARGETS:
        if word in wanted:
            SCons.Script.BUILD_TARGETS.append(wanted[word])


def _holds_products(node: Any) -> bool:
    """Return whether `node` is a folder that the build makes."""
    return bool(getattr(node.disambiguate(), "entries", {}).keys() - {".", ".."})
