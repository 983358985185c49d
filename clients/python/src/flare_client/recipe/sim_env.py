"""A federation that is made for one job, on this machine."""

import os
import tempfile
from typing import Any, Mapping, Optional, Sequence

from ..job import FedJob, JobError
from ..job.arguments import checked_call
from ..simulator import simulate
from .environment import ExecEnv, site_names

#: FLARE's folder for workspaces of simulations.
DEFAULT_ROOT = "/tmp/nvflare/simulation"

#: Environment variable that moves it; FLARE's name.
ROOT_VARIABLE = "NVFLARE_SIMULATOR_WORKSPACE_ROOT"


class SimEnv(ExecEnv):
    """Runs a job with ``flare simulator``, from beginning to end: the same server, sites and processes as in a deployment.

    :param num_clients: sites, named site-1, site-2, ...
    :param clients: their names
    :param num_threads: taken for FLARE's sake: all sites train at the same time
    :param gpu_config: GPUs of the sites in turn: ``0,1`` or ``[0,1],[2,3]``
    :param log_config: how much logs say: debug, info, warn, error, or FLARE's concise, full, verbose
    :param datasets: not FLARE's: data sets that the sites offer, name to path, with ``{site}`` for the name of the site
    :param workspace_root: the job's workspace is the folder of its name below this one; the next run of the job replaces it
    """

    @checked_call
    def __init__(
        self,
        *,
        num_clients: int = 0,
        clients: Optional[Sequence[str]] = None,
        num_threads: Optional[int] = None,
        gpu_config: Optional[str] = None,
        log_config: Optional[str] = None,
        datasets: Optional[Mapping[str, str]] = None,
        workspace_root: str = DEFAULT_ROOT,
        extra: Optional[Mapping[str, Any]] = None,
    ):
        super().__init__(extra)
        self.clients = site_names(num_clients, clients)
        self.num_clients = num_clients or len(self.clients or [])
        self.num_threads = num_threads
        self.gpu_config = gpu_config
        self.log_config = log_config
        self.datasets = dict(datasets or {})
        self.workspace_root = os.path.abspath(os.environ.get(ROOT_VARIABLE) or workspace_root)
        self._status: Optional[str] = None

    def deploy(self, job: FedJob) -> str:
        """Runs a job to its end; its id is its name, as with FLARE.

        :raises FlareCommandError: when it is not completed
        """
        # The sites that the job itself names, where it names any.
        names = self.clients or job.sites or None
        if names is not None and self.num_clients != len(names):
            raise JobError(f"'num_clients' of SimEnv is {self.num_clients}, and the job names {len(names)} sites: {', '.join(names)}")
        workspace = os.path.join(self.workspace_root, job.name)
        if self.workspace_root == DEFAULT_ROOT:
            _refuse_others_folder(workspace)
        os.makedirs(self.workspace_root, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="flare-job-") as folder:
            outcome = simulate(
                job.export_job(folder),
                workspace,
                count=self.num_clients,
                names=names,
                threads=self.num_threads,
                gpus=self.gpu_config,
                log_config=self.log_config,
                datasets=self.datasets,
            )
        self._status = outcome["status"]
        return job.name

    def get_job_status(self, job_id: str) -> Optional[str]:
        """How the job ended; FLARE says nothing here."""
        return self._status

    def abort_job(self, job_id: str) -> None:
        """There is nothing to abort: the job is over when its run is there."""
        print(f"{job_id} is over: a simulation runs to its end before anything else can be asked of it")

    def get_job_result(self, job_id: str, timeout: float = 0.0) -> Optional[str]:
        """The workspace: its ``server/simulate_job`` holds the models, ``<site>/simulate_job/trainer.log`` what scripts have printed."""
        return os.path.join(self.workspace_root, job_id)


def _refuse_others_folder(workspace: str) -> None:
    """Certificates and code in a folder that everybody may make must not lie where another user of the machine can change them."""
    folder = os.path.dirname(DEFAULT_ROOT)
    for path in (folder, DEFAULT_ROOT, workspace):
        if os.path.lexists(path) and (os.path.islink(path) or os.lstat(path).st_uid != os.getuid()):
            raise JobError(f"{path} belongs to somebody else; give SimEnv a 'workspace_root' of your own, or set {ROOT_VARIABLE}")
