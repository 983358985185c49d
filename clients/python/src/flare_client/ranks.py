"""Trainers of several processes, such as torchrun starts: rank 0 speaks with the job process, the others hear of it."""

import os
import sys
from typing import Any, Optional

from .errors import ClientApiError


def rank_of(given: Optional[str]) -> int:
    """The rank that a script gives, else that of the launcher, else 0."""
    text = given if given is not None else os.environ.get("RANK", "0")
    try:
        return int(text)
    except ValueError:
        raise ClientApiError("client-api/bootstrap-invalid", f"The rank '{text}' is not a whole number.") from None


def share(value: Any, rank: int) -> Any:
    """What rank 0 gives, at every rank; a plain call where the trainer is one process."""
    distributed = _distributed()
    if distributed is not None:
        box = [value if rank == 0 else None]
        distributed.broadcast_object_list(box, src=0)
        return box[0]
    if rank != 0:
        raise ClientApiError(
            "client-api/no-task",
            f"This is rank {rank}, and torch.distributed is not initialised: only rank 0 speaks with the job process.",
        )
    return value


def is_shared() -> bool:
    """Whether other processes hear of what rank 0 is told: what it has not shared they do not know."""
    return _distributed() is not None


def _distributed() -> Any:
    """torch.distributed where the script has set it up."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    return distributed if distributed is not None and distributed.is_available() and distributed.is_initialized() else None
