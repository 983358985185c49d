"""Private set intersection: what identifiers a site puts in, and what becomes of those that all sites have.

A job's ``PSIExecutor`` leads to a class that derives from :class:`PSI`; identifiers in a table that the site offers need no class.
"""

from .spec import PSI
from .writer import FilePSIWriter

__all__ = ["PSI", "FilePSIWriter"]
