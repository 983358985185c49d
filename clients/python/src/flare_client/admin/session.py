"""An admin's session: FLARE's methods, each of which is a command of ``flare`` with the admin's kit."""

import difflib
import json
import os
import time
from typing import Any, Callable, Dict, List, NoReturn, Optional, Tuple

from ..admin_commands import AdminCommands
from .asking import word
from .elsewhere import ELSEWHERE
from .errors import (
    AuthenticationError,
    AuthorizationError,
    CommandError,
    InvalidArgumentError,
    InvalidJobDefinition,
    JobNotFound,
    JobTimeout,
    NotHere,
)
from .information import MonitorReturnCode
from .job_facts import job_logs, job_meta, job_summary
from .studies import Studies
from .system import System

#: Older names of arguments of ``list_jobs``, which FLARE takes too.
_OLD_NAMES = {"max_num": "limit", "job_id_prefix": "id_prefix", "job_name_prefix": "name_prefix", "id": "id_prefix", "name": "name_prefix"}


class Session(System, Studies):
    """What one admin may see and do in a federation. Nothing stays connected between two methods.

    :param username: the admin's name, which is that of the kit
    :param startup_path: folder of the admin's startup kit
    :param secure_mode: must be true
    :param debug: whether ``flare`` also prints its errors at length
    :param study: the study to work in
    """

    def __init__(self, username: str, startup_path: str, secure_mode: bool = True, debug: bool = False, study: str = "default"):
        if not os.path.isdir(startup_path):
            raise InvalidArgumentError(f"There is no startup kit in {startup_path}.")
        if not secure_mode:
            raise InvalidArgumentError("A session is always secured, with what the kit holds.")
        self.username = username
        self.startup_path = os.path.abspath(startup_path)
        admin = _admin_of(self.startup_path)
        name = admin.get("username", username)
        if name != username:
            raise AuthenticationError(f"The kit in {startup_path} is that of {name}, not of {username}.")
        self.upload_dir = os.path.join(self.startup_path, admin.get("upload_dir", "transfer"))
        self.download_dir = os.path.join(self.startup_path, admin.get("download_dir", "transfer"))
        self._study = study
        self._flags = ["--verbose"] if debug else []
        self._commands = AdminCommands(self.startup_path, study=study, flags=self._flags)

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        if name not in ELSEWHERE:
            near = difflib.get_close_matches(name, [known for known in dir(type(self)) if not known.startswith("_")], n=1)
            raise AttributeError(f"Session has no {name}{f'; did you mean {near[0]}?' if near else ''}")

        def refuse(*_: Any, **__: Any) -> NoReturn:
            raise NotHere(f"Session has no {name} here: {ELSEWHERE[name]}.")

        return refuse

    def try_connect(self, timeout: float) -> None:
        """Asks the server whether it lets the admin in.

        :param timeout: seconds for that, and for the connection of each method from now on
        """
        flags = [*self._flags, "--connect-timeout", str(timeout)]
        self._commands = AdminCommands(self.startup_path, study=self._study, flags=flags)
        try:
            self._ask("job", "list", "--max", "1")
        except AuthorizationError as error:
            # Whoever may not list jobs is let in all the same.
            if error.code != "auth/not-authorized":
                raise

    def close(self) -> None:
        """Ends the session: its methods raise ``SessionClosed`` from now on."""
        self._is_closed = True

    def set_timeout(self, value: float) -> None:
        """Limits the time of each method, but of those that send or bring a job, or have a time of their own. ``NoReply`` is raised after it."""
        if not value > 0:
            raise InvalidArgumentError(f"'value' is {value}, and must be a positive number of seconds.")
        self._timeout = value

    def unset_timeout(self) -> None:
        """A method takes as long as something moves."""
        self._timeout = None

    def submit_job(self, job_definition_path: str, submit_token: Optional[str] = None) -> str:
        """Sends a job; gives its id.

        :param job_definition_path: folder of the job, from the working folder or else from the kit's folder ``transfer``
        :param submit_token: a name of your own for this submission: with it the same job may be submitted again, and is there once
        """
        folders = [path for path in (job_definition_path, os.path.join(self.upload_dir, job_definition_path)) if os.path.isdir(path)]
        if not folders:
            raise InvalidJobDefinition(f"There is no folder {job_definition_path}.")
        token = [f"--submit-token={submit_token}"] if submit_token is not None else []
        return str(self._ask("job", "submit", "-j", os.path.abspath(folders[0]), *token, is_limited=False)["job_id"])

    def clone_job(self, job_id: str) -> str:
        """Submits a job once more; gives the new id."""
        return str(self._ask("job", "clone", _job(job_id), is_limited=False)["job_id"])

    def get_job_meta(self, job_id: str) -> Dict[str, Any]:
        """What the server tells of a job."""
        return job_meta(self._ask("job", "meta", _job(job_id)))

    def get_job_status(self, job_id: str) -> Optional[str]:
        """FLARE's word for how far a job is."""
        return self.get_job_meta(job_id)["status"]

    def list_jobs(
        self,
        detailed: bool = False,
        limit: Optional[int] = None,
        id_prefix: Optional[str] = None,
        name_prefix: Optional[str] = None,
        reverse: bool = False,
        submit_token: Optional[str] = None,
        **older: Any,
    ) -> List[Dict[str, Any]]:
        """Jobs that the admin may see, oldest first.

        :param detailed: whether each is what ``get_job_meta`` gives, which takes a command for each
        :param reverse: newest first
        :param submit_token: only the job that this admin has submitted with it
        :param older: names of arguments that FLARE had before
        """
        unknown = [name for name in older if name not in _OLD_NAMES]
        if unknown:
            raise TypeError(f"list_jobs has no argument {unknown[0]!r}")
        given = {_OLD_NAMES[name]: value for name, value in older.items()}
        most, by_id, by_name = limit or given.get("limit"), id_prefix or given.get("id_prefix"), name_prefix or given.get("name_prefix")
        jobs = self._ask(
            "job",
            "list",
            *([f"--max={most}"] if most else []),
            *([f"--id-prefix={by_id}"] if by_id else []),
            *([f"--name-prefix={by_name}"] if by_name else []),
            *([f"--submit-token={submit_token}"] if submit_token is not None else []),
            *(["--reverse"] if reverse else []),
        )
        return [self.get_job_meta(job["job_id"]) for job in jobs] if detailed else [job_summary(job) for job in jobs]

    def download_job_result(self, job_id: str, destination: Optional[str] = None) -> str:
        """Brings the result of a job that is over; gives its folder, which has the job's id for a name and replaces an earlier one.

        :param destination: the folder around it; by default ``transfer`` of the kit
        """
        folder = os.path.abspath(destination or self.download_dir)
        return str(self._ask("job", "download", _job(job_id), "-o", folder, "--force", is_limited=False)["dir"])

    def abort_job(self, job_id: str) -> str:
        """Ends a job, and does nothing to one that is over; gives its status."""
        return str(self._ask("job", "abort", _job(job_id), "--force")["status"])

    def delete_job(self, job_id: str) -> Dict[str, Any]:
        """Deletes a job that is over, with its result."""
        return {"job_id": self._ask("job", "delete", _job(job_id), "--force")["job_id"]}

    def get_job_logs(
        self,
        job_id: str,
        target: str = "server",
        tail_lines: Optional[int] = None,
        grep_pattern: Optional[str] = None,
        log_file_name: str = "log.txt",
    ) -> Dict[str, Dict[str, str]]:
        """What processes of a job print, by site under ``logs``; under ``unavailable`` is why somebody has none.

        :param target: ``all``, or the name of a site; the server has none
        :param tail_lines: only so many of each site, the last ones
        :param grep_pattern: of those only the ones that have it in them
        """
        if log_file_name != "log.txt":
            raise NotHere("'log_file_name' is not here: there is one log of a job at each site.")
        if tail_lines is not None and tail_lines < 0:
            raise InvalidArgumentError("'tail_lines' is below 0.")
        name = word(target, "'target'")
        lines: List[Dict[str, Any]] = []
        if name != "server":
            self._ask("job", "logs", _job(job_id), *([] if name == "all" else [f"--site={name}"]), on_event=lines.append)
        sites = self.get_job_meta(job_id)["sites"] if name == "all" else []
        return job_logs([line for line in lines if line.get("type") == "line"], sites, name, tail_lines, grep_pattern)

    def wait_for_job(self, job_id: str, timeout: float = 0.0, poll_interval: float = 2.0) -> Dict[str, Any]:
        """Waits until a job is over, whatever became of it, also while the server restarts; gives its meta.

        :param timeout: seconds; 0 means as long as it takes
        :param poll_interval: makes no difference: the end is heard of at once
        :raises JobTimeout:
        """
        _check_times(timeout, poll_interval)
        try:
            self._ask("job", "wait", _job(job_id), *(["--timeout", str(timeout)] if timeout > 0 else []), is_limited=False)
        except CommandError as error:
            if error.code != "cli/job-not-completed":
                raise
        return self.get_job_meta(job_id)

    def monitor_job(
        self,
        job_id: str,
        timeout: float = 0.0,
        poll_interval: float = 2.0,
        cb: Optional[Callable[..., bool]] = None,
        *cb_args: Any,
        **cb_kwargs: Any,
    ) -> MonitorReturnCode:
        """Watches a job until it is over, the time has passed, or ``cb`` says so; gives which of them.

        :param timeout: seconds; 0 means as long as it takes
        :param poll_interval: seconds between two calls of ``cb``
        :param cb: is called as ``cb(session, job_id, job_meta, *cb_args, **cb_kwargs)``, and watching ends when it gives ``False``
        """
        return self.monitor_job_and_return_job_meta(job_id, timeout, poll_interval, cb, *cb_args, **cb_kwargs)[0]

    def monitor_job_and_return_job_meta(
        self,
        job_id: str,
        timeout: float = 0.0,
        poll_interval: float = 2.0,
        cb: Optional[Callable[..., bool]] = None,
        *cb_args: Any,
        **cb_kwargs: Any,
    ) -> Tuple[MonitorReturnCode, Optional[Dict[str, Any]]]:
        """As ``monitor_job``, with the meta of a job that is over."""
        if cb is None:
            try:
                return MonitorReturnCode.JOB_FINISHED, self.wait_for_job(job_id, timeout, poll_interval)
            except JobTimeout:
                return MonitorReturnCode.TIMEOUT, None
        _check_times(timeout, poll_interval)
        started = time.monotonic()
        while True:
            meta = self.get_job_meta(job_id)
            if not cb(self, job_id, meta, *cb_args, **cb_kwargs):
                return MonitorReturnCode.ENDED_BY_CB, None
            if meta["status"].startswith("FINISHED"):
                return MonitorReturnCode.JOB_FINISHED, meta
            left = timeout - (time.monotonic() - started) if timeout > 0 else poll_interval
            if left <= 0:
                return MonitorReturnCode.TIMEOUT, None
            time.sleep(min(left, poll_interval))


def new_session(
    username: str,
    startup_kit_location: str,
    secure_mode: bool = True,
    debug: bool = False,
    timeout: float = 10.0,
    study: str = "default",
    command_timeout: Optional[float] = None,
    auto_login_max_tries: Optional[int] = None,
) -> Session:
    """Opens a session, once the server has let the admin in.

    :param startup_kit_location: folder of the admin's startup kit
    :param timeout: seconds for the connection
    :param command_timeout: what ``set_timeout`` takes
    :param auto_login_max_tries: makes no difference: each method connects anew
    :raises NoConnection:
    """
    del auto_login_max_tries
    session = Session(username, startup_kit_location, secure_mode, debug, study)
    if command_timeout is not None:
        session.set_timeout(command_timeout)
    session.try_connect(timeout)
    return session


def new_secure_session(
    username: str,
    startup_kit_location: str,
    debug: bool = False,
    timeout: float = 10.0,
    study: str = "default",
    command_timeout: Optional[float] = None,
    auto_login_max_tries: Optional[int] = None,
) -> Session:
    """As :func:`new_session`."""
    return new_session(username, startup_kit_location, True, debug, timeout, study, command_timeout, auto_login_max_tries)


def new_insecure_session(startup_kit_location: str, debug: bool = False, timeout: float = 10.0, study: str = "default") -> NoReturn:
    """Refused, in favour of :func:`new_secure_session`."""
    del startup_kit_location, debug, timeout, study
    raise NotHere("There are no sessions without the admin's certificate: new_secure_session takes the same kit.")


def basic_cb_with_print(session: Session, job_id: str, job_meta: Dict[str, Any], *cb_args: Any, **cb_kwargs: Any) -> bool:
    """A callback for ``monitor_job`` that prints a job's status when it is another one than before.

    :param cb_kwargs: with ``cb_run_counter``, whose ``count`` it raises
    """
    del session, cb_args
    counter = cb_kwargs.get("cb_run_counter", {})
    if job_meta["status"] != counter.get("status"):
        print(f"job {job_id}: {job_meta['status']}", flush=True)
    counter.update(count=counter.get("count", 0) + 1, status=job_meta["status"])
    return True


def _admin_of(kit: str) -> Dict[str, Any]:
    """What the kit says of its admin; nothing where it is none, which ``flare`` says in its own words."""
    try:
        with open(os.path.join(kit, "startup", "fed_admin.json"), encoding="utf-8") as file:
            return dict(json.load(file)["admin"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _job(job_id: Any) -> str:
    if not isinstance(job_id, str) or not job_id or job_id.startswith("-"):
        raise JobNotFound(f"{job_id!r} is not the id of a job; list_jobs has the ids.")
    return job_id


def _check_times(timeout: float, poll_interval: float) -> None:
    if timeout < 0:
        raise InvalidArgumentError("'timeout' is below 0.")
    if poll_interval <= 0:
        raise InvalidArgumentError("'poll_interval' is not above 0.")
