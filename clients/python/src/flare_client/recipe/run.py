"""A job that was started."""

from typing import Optional

from .environment import ExecEnv


class Run:
    """A job in its environment. What went wrong is an error of the call, where FLARE gives ``None``."""

    def __init__(self, exec_env: ExecEnv, job_id: str):
        self.exec_env = exec_env
        self.job_id = job_id
        self._is_stopped = False
        self._status: Optional[str] = None
        self._result: Optional[str] = None

    def get_job_id(self) -> str:
        """The job's id: in a simulation, its name."""
        return self.job_id

    def get_status(self) -> Optional[str]:
        """FLARE's word for how far the job is, such as ``RUNNING`` or ``FINISHED:COMPLETED``."""
        return self._status if self._is_stopped else self.exec_env.get_job_status(self.job_id)

    def get_result(self, timeout: float = 0.0, clean_up: bool = True) -> Optional[str]:
        """Waits for the job, gives the folder of its result, and stops what was started for it.

        :param timeout: seconds to wait; 0 means as long as it takes. ``None`` comes back when they have passed, and the job goes on
        :param clean_up: whether a federation that was made for the job is removed; its result stays
        :raises FlareCommandError: also when the job has ended in another way than completed
        """
        if self._is_stopped:
            return self._result
        is_over = True
        try:
            self._result = self.exec_env.get_job_result(self.job_id, timeout)
            is_over = self._result is not None
            if is_over:
                self._status = self.exec_env.get_job_status(self.job_id)
        finally:
            if is_over:
                self._is_stopped = True
                self.exec_env.stop(clean_up=clean_up)
        return self._result

    def abort(self) -> None:
        """Ends the job; nothing happens when it is over."""
        if not self._is_stopped:
            self.exec_env.abort_job(self.job_id)
