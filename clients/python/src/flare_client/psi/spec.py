"""What has a site's identifiers, under FLARE's names."""

import logging
from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional, Tuple

from .writer import FilePSIWriter


class PSI(ABC):
    """A site's part in a private set intersection, but for what blinds its identifiers.

    An object is made once to load, and another one to save: nothing that it keeps in itself is there later.

    :param psi_writer_id: of the ``FilePSIWriter`` among the job's components that takes the intersection
    """

    #: Arguments that the object was made with: a job that is written in Python hands them on to sites.
    given_arguments: Tuple[Tuple[Any, ...], Dict[str, Any]] = ((), {})

    def __new__(cls, *arguments: Any, **named: Any) -> "PSI":
        own = super().__new__(cls)
        own.given_arguments = (arguments, named)
        return own

    def __init__(self, psi_writer_id: str):
        self.psi_writer_id = psi_writer_id
        self.psi_writer: Optional[FilePSIWriter] = None
        self.fl_ctx: Any = None
        self.intersection: Optional[List[str]] = None
        self.logger = logging.getLogger(type(self).__name__)

    def initialize(self, fl_ctx: Any) -> None:
        """Called before anything else."""
        self.fl_ctx = fl_ctx

    @abstractmethod
    def load_items(self) -> List[str]:
        """The site's identifiers: texts without line breaks. What is there twice counts once."""

    def get_intersection(self) -> Optional[List[str]]:
        """The intersection, once :meth:`save` was called."""
        return self.intersection

    def save(self, intersection: List[str]) -> None:
        """Takes those of the identifiers that all sites have, sorted; after a crash perhaps once more."""
        self.intersection = intersection
        if self.psi_writer is not None:
            self.psi_writer.save(intersection, True, self.fl_ctx)

    def log_info(self, fl_ctx: Any, message: str) -> None:
        """Says something in the site's log."""
        del fl_ctx
        self.logger.info(message)

    def log_warning(self, fl_ctx: Any, message: str) -> None:
        """The same of what will need somebody."""
        del fl_ctx
        self.logger.warning(message)

    def log_error(self, fl_ctx: Any, message: str) -> None:
        """The same of what does."""
        del fl_ctx
        self.logger.error(message)
