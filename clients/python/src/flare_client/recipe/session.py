"""What a federation that goes on is asked about a job, by the commands of ``flare job``."""

import os
import tempfile
from typing import List, Optional

from ..admin_commands import AdminCommands
from ..flare_command import FlareCommandError
from ..flare_progress import Progress
from ..job import FedJob


class JobSession:
    """The jobs of one federation, as one admin may see them.

    :param kit: folder of the admin's startup kit
    :param study: the study to work in; FLARE's ``default`` is none
    :param results: folder that results are downloaded into, each in a folder with the job's id
    :param flags: more flags for each command
    """

    def __init__(self, kit: str, *, study: str, results: str, flags: Optional[List[str]] = None):
        self._commands = AdminCommands(kit, study=study, flags=flags)
        self._results = os.path.abspath(results)

    def submit(self, job: FedJob) -> str:
        """Sends a job; gives its id."""
        with tempfile.TemporaryDirectory(prefix="flare-job-") as folder:
            data = self._commands.run("job", "submit", "-j", job.export_job(folder))
        print(f"job {job.name} submitted: {data['job_id']}", flush=True)
        return str(data["job_id"])

    def status(self, job_id: str) -> str:
        """How far a job is."""
        return str(self._commands.run("job", "meta", job_id)["status"])

    def abort(self, job_id: str) -> None:
        """Ends a job."""
        self._commands.run("job", "abort", job_id, "--force")

    def result(self, job_id: str, timeout: float) -> Optional[str]:
        """Waits for a job and downloads its result; gives the folder, or ``None`` when the job is not over in time."""
        if timeout > 0:
            try:
                self._commands.run("job", "wait", job_id, "--timeout", str(timeout))
            except FlareCommandError as error:
                if error.code != "cli/job-not-over":
                    raise
                print(error.message)
                return None
        else:
            self._commands.run("job", "monitor", job_id, on_event=Progress())
        arguments = ["job", "download", job_id, "-o", self._results, "--force"]
        return str(self._commands.run(*arguments)["dir"])
