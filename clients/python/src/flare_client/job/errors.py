"""What is said of a job's definition: mistakes, and what makes no difference."""

import functools
import sys


class JobError(ValueError):
    """A job's definition is wrong, or asks for something that is not here."""


@functools.lru_cache(maxsize=None)
def without_effect(what: str, why: str) -> None:
    """Says in one line, and once, that something which FLARE has makes no difference here."""
    print(f"flare-client: {what} has no effect here: {why}", file=sys.stderr)
