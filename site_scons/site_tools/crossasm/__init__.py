"""A SCons tool that assembles, links and checks programs for several targets on one host."""

from __future__ import annotations

from typing import Any

__all__ = ["exists", "generate"]


def generate(env: Any, **options: str) -> None:
    """Give `env` the builders AsmObject, AsmLibrary, AsmProgram, AsmCheck and the CrossAsm methods.

    The option `target` is one of the targets or an alias of it; without it, the host's own.
    Raises UserError for another target or option.
    """
    from .scons_main import load_tool  # noqa: PLC0415 (the other modules work without SCons)

    load_tool(env, **options)


def exists(_env: Any) -> bool:
    """Return True: what a target lacks is told when it is asked for."""
    return True
