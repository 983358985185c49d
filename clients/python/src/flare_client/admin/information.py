"""What a session tells of the system, with FLARE's names."""

import enum
import time
from typing import List, Optional


class MonitorReturnCode(int, enum.Enum):
    """Why watching a job has ended."""

    JOB_FINISHED = 0
    TIMEOUT = 1
    ENDED_BY_CB = 2


class TargetType:
    """Whom a method is for."""

    ALL = "all"
    SERVER = "server"
    CLIENT = "client"


class ServerInfo:
    """The server: its state, and since when it runs, in seconds as ``time.time()`` counts them."""

    def __init__(self, status: str, start_time: Optional[float]):
        self.status = status
        self.start_time = start_time

    def __str__(self) -> str:
        return f"{self.status} since {_time_text(self.start_time)}"


class ClientInfo:
    """A site that is connected, and since when."""

    def __init__(self, name: str, last_connect_time: Optional[float]):
        self.name = name
        self.last_connect_time = last_connect_time

    def __str__(self) -> str:
        return f"{self.name}, connected since {_time_text(self.last_connect_time)}"


class JobInfo:
    """A job that runs. ``app_name`` is the job's name: apps of a job have none of their own that the server tells."""

    def __init__(self, job_id: str, app_name: str):
        self.job_id = job_id
        self.app_name = app_name

    def __str__(self) -> str:
        return f"{self.job_id} {self.app_name}".rstrip()


class SystemInfo:
    """The server, the sites that are connected, and the jobs that run."""

    def __init__(self, server_info: ServerInfo, client_info: List[ClientInfo], job_info: List[JobInfo]):
        self.server_info = server_info
        self.client_info = client_info
        self.job_info = job_info

    def __str__(self) -> str:
        clients = [f"site {one}" for one in self.client_info] or ["no site is connected"]
        jobs = [f"job {one}" for one in self.job_info] or ["no job runs"]
        return "\n".join([f"server {self.server_info}", *clients, *jobs])


def _time_text(seconds: Optional[float]) -> str:
    return "an unknown time" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
