"""The binary check: a linked program's bytes and its target in; faults and facts out."""

from .check import check
from .gaps import gaps
from .verdict import Report, Segment

__all__ = ["Report", "Segment", "check", "gaps"]
