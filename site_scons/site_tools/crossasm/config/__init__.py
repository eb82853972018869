"""Configuration: the path of a ``crossasm.toml`` in; a Project, or a line per fault, out."""

from .load import load
from .schema import SECTIONS

__all__ = ["SECTIONS", "load"]
