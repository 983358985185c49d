"""A federation that others run."""

import os
from typing import Any, Mapping, Optional

from ..job import FedJob, JobError
from ..job.arguments import checked_call, idle, settle
from .environment import ExecEnv
from .session import JobSession


class ProdEnv(ExecEnv):
    """Submits jobs with the startup kit of an admin.

    Results go to the folder ``results``, or the one that ``extra={"results": ...}`` names.

    :param startup_kit_location: folder of the kit
    :param login_timeout: seconds for the connection
    :param study: the study that jobs are submitted to
    """

    _others = {"username": idle("admin@nvidia.com", "the admin is the one of the kit")}

    @checked_call
    def __init__(
        self,
        startup_kit_location: str,
        login_timeout: Optional[float] = None,
        *,
        study: str = "default",
        extra: Optional[Mapping[str, Any]] = None,
        **others: Any,
    ):
        settle(self, others, self._others)
        super().__init__(extra)
        if not os.path.isdir(startup_kit_location):
            raise JobError(f"there is no startup kit in {startup_kit_location}")
        self.startup_kit_location = startup_kit_location
        flags = [] if login_timeout is None else ["--connect-timeout", str(login_timeout)]
        self._session = JobSession(
            startup_kit_location, study=study, results=self.get_extra_prop("results", "results"), flags=flags
        )

    def deploy(self, job: FedJob) -> str:
        """Submits a job."""
        return self._session.submit(job)

    def get_job_status(self, job_id: str) -> Optional[str]:
        return self._session.status(job_id)

    def abort_job(self, job_id: str) -> None:
        self._session.abort(job_id)

    def get_job_result(self, job_id: str, timeout: float = 0.0) -> Optional[str]:
        return self._session.result(job_id, timeout)
