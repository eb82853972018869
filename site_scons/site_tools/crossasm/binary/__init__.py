"""The binary check: a linked program's bytes and its target in; faults and facts out."""

from .check import check
from .verdict import Report, Segment

__all__ = ["Report", "Segment", "check"]
