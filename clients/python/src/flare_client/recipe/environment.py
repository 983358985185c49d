"""Where a job runs."""

from abc import ABC, abstractmethod
from typing import Any, Mapping, Optional

from ..job import FedJob, JobError


class ExecEnv(ABC):
    """Runs jobs.

    :param extra: settings of its own, by name
    """

    def __init__(self, extra: Optional[Mapping[str, Any]] = None):
        if extra is not None and not isinstance(extra, Mapping):
            raise JobError(f"'extra' is a {type(extra).__name__}, not settings by name")
        self.extra = dict(extra or {})

    def get_extra_prop(self, prop_name: str, default: Any = None) -> Any:
        """One of the settings that it was given by ``extra``."""
        return self.extra.get(prop_name, default)

    @abstractmethod
    def deploy(self, job: FedJob) -> str:
        """Starts a job, or runs it to its end where nothing outlives the script; gives its id."""

    @abstractmethod
    def get_job_status(self, job_id: str) -> Optional[str]:
        """FLARE's word for how far a job is."""

    @abstractmethod
    def abort_job(self, job_id: str) -> None:
        """Ends a job."""

    @abstractmethod
    def get_job_result(self, job_id: str, timeout: float = 0.0) -> Optional[str]:
        """Waits for a job and gives the folder of its result; ``None`` when it is not over after so many seconds (0: as long as it takes)."""

    def stop(self, clean_up: bool = False) -> None:
        """Stops what it has started for the job; ``clean_up`` also removes it."""
        del clean_up


def site_names(num_clients: Optional[int], clients: Optional[Any]) -> Optional[list]:
    """Names of sites that were given, once they fit their number.

    :raises JobError:
    """
    if clients is not None:
        names = list(clients)
        if not names:
            raise JobError("'clients' names no site")
        if num_clients and num_clients != len(names):
            raise JobError(f"'num_clients' is {num_clients}, and 'clients' names {len(names)} sites")
        return names
    if not num_clients or num_clients < 1:
        raise JobError("give 'num_clients', 1 at least, or the names of sites by 'clients'")
    return None
