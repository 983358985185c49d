"""A federation on this machine that goes on."""

from typing import Any, Dict, Mapping, Optional, Sequence

from ..flare_command import FlareCommandError, run_flare
from ..flare_progress import Progress
from ..job import FedJob, JobError
from ..job.arguments import idle, refused, settle
from .environment import ExecEnv, site_names
from .session import JobSession


class PocEnv(ExecEnv):
    """Runs jobs in the POC federation: the one that is there, if it has the same sites, else one that is prepared for them.

    Results go to the folder ``results``, or the one that ``extra={"results": ...}`` names.

    :param num_clients: sites, named site-1, site-2, ...
    :param clients: their names
    :param project_conf_path: a project file, in place of both
    :param study: the study that jobs are submitted to
    """

    _others = {
        "gpu_ids": refused(None, "say which GPUs a site has in its local/resources.json"),
        "use_he": refused(False, "homomorphic encryption is not here"),
        "docker_image": refused(None, "POC runs processes, no containers"),
        "username": idle("admin@nvidia.com", "the admin is the one of the federation"),
    }

    def __init__(
        self,
        *,
        num_clients: Optional[int] = 2,
        clients: Optional[Sequence[str]] = None,
        project_conf_path: str = "",
        study: str = "default",
        extra: Optional[Mapping[str, Any]] = None,
        **others: Any,
    ):
        settle(self, others, self._others)
        super().__init__(extra)
        # As with FLARE, names count and a number that was not given does not.
        self.clients = site_names(None if clients is not None and num_clients == 2 else num_clients, clients)
        self.num_clients = len(self.clients) if self.clients is not None else num_clients
        self.project_conf_path = project_conf_path
        self.study = study
        self._session: Optional[JobSession] = None
        self._is_ours = False

    def deploy(self, job: FedJob) -> str:
        """Makes and starts the federation where it is not there, and submits a job."""
        admin = self._federation()
        try:
            run_flare("poc", "start", on_event=Progress())
            self._session = JobSession(admin, study=self.study, results=self.get_extra_prop("results", "results"))
            return self._session.submit(job)
        except BaseException:
            self.stop(clean_up=True)
            raise

    def get_job_status(self, job_id: str) -> Optional[str]:
        return self._asked().status(job_id)

    def abort_job(self, job_id: str) -> None:
        self._asked().abort(job_id)

    def get_job_result(self, job_id: str, timeout: float = 0.0) -> Optional[str]:
        return self._asked().result(job_id, timeout)

    def stop(self, clean_up: bool = False) -> None:
        """Stops the federation that it has prepared, and removes it if told to; one that was there before goes on."""
        if not self._is_ours:
            return
        self._session = None
        self._is_ours = False
        run_flare("poc", "stop")
        if clean_up:
            run_flare("poc", "clean")

    def _asked(self) -> JobSession:
        if self._session is None:
            raise JobError("the federation is stopped, or was never started")
        return self._session

    def _federation(self) -> str:
        """The admin's kit of the federation."""
        try:
            there = run_flare("poc", "status")
        except FlareCommandError as error:
            if error.code != "poc/not-prepared":
                raise
            self._is_ours = True
            return str(run_flare("poc", "prepare", *self._sites())["admin"]["kit"])
        self._compare(there)
        return str(there["admin"]["kit"])

    def _sites(self) -> Sequence[str]:
        if self.project_conf_path:
            return ["-i", self.project_conf_path]
        return ["-n", str(self.num_clients)] if self.clients is None else ["-c", *self.clients]

    def _compare(self, there: Dict[str, Any]) -> None:
        if self.project_conf_path:
            return
        found = sorted(service["name"] for service in there["services"] if service["kind"] == "client")
        wanted = sorted(self.clients or [f"site-{number}" for number in range(1, (self.num_clients or 0) + 1)])
        if found != wanted:
            raise JobError(
                f"{there['folder']} holds a federation of {', '.join(found)}, not of {', '.join(wanted)}; "
                "`flare poc clean --force` removes it, NVFLARE_POC_WORKSPACE names another folder"
            )
