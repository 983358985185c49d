"""The methods of a session about server and sites."""

from typing import Any, Dict, List, Optional

from .asking import Asking, word, words
from .errors import AuthorizationError, InvalidArgumentError, NoClientsAvailable
from .information import ClientInfo, JobInfo, ServerInfo, SystemInfo, TargetType

_TARGETS = (TargetType.ALL, TargetType.SERVER, TargetType.CLIENT)


class System(Asking):
    """Whom a method is for is ``server``, ``client`` or ``all``; after ``client`` names of sites, where not all are meant."""

    def get_system_info(self) -> SystemInfo:
        """The server, the sites that are connected, and the jobs that run."""
        status = self.check_status(TargetType.SERVER)
        return SystemInfo(
            ServerInfo(status["server_status"], status["server_start_time"]),
            [ClientInfo(one["client_name"], one["client_last_conn_time"]) for one in status["clients"]],
            [JobInfo(one["job_id"], one["app_name"]) for one in status["jobs"]],
        )

    def get_connected_client_list(self) -> List[ClientInfo]:
        """The sites that are connected."""
        return _connected(self._ask("system", "status", "all"))

    def check_status(self, target_type: str, targets: Optional[List[str]] = None) -> Dict[str, Any]:
        """FLARE's facts under FLARE's keys, and under ``server``, ``sites`` and so on all that ``flare system status`` tells."""
        asked = _targets(target_type, targets)
        # The server tells of all sites too, as FLARE's does.
        status = self._ask("system", "status", *(asked if target_type == TargetType.CLIENT else ["all"]))
        told: Dict[str, Any] = {"status": "ok", **status}
        if target_type != TargetType.CLIENT:
            clients = [{"client_name": one.name, "client_last_conn_time": one.last_connect_time} for one in _connected(status)]
            started = status["server"]["started_at_ms"] / 1000
            told.update(server_status="started", server_start_time=started, clients=clients, jobs=self._jobs(status))
        if target_type != TargetType.SERVER:
            told.update(client_status=_jobs_of_sites(status))
        return told

    def get_client_job_status(self, client_names: Optional[List[str]] = None) -> List[Dict[str, str]]:
        """An entry for each job at each site, with ``client_name`` and ``job_id``."""
        return _jobs_of_sites(self._ask("system", "status", *_targets(TargetType.CLIENT, client_names)))

    def report_resources(self, target_type: str, targets: Optional[List[str]] = None) -> Dict[str, Any]:
        """By name what each runs on and what of it is free, or in words why it does not say."""
        outcomes = self._ask("system", "resources", *_targets(target_type, targets))
        return {
            one["name"]: one["resources"] if one["outcome"] != "failed" else f"{one['message']} [{one['error_code']}]" for one in outcomes
        }

    def report_version(self, target_type: str, targets: Optional[List[str]] = None) -> Dict[str, Any]:
        """By name the version of its software."""
        kind, *names = _targets(target_type, targets)
        told = self._ask("system", "version", "--site", ",".join(names) or kind)
        return {one["site"]: one["version"] for one in told["sites"]}

    def restart(
        self, target_type: str, client_names: Optional[List[str]] = None, wait: bool = True, timeout: float = 30.0
    ) -> Dict[str, Any]:
        """Has them end in good order and start again; ``outcomes`` are what became of each.

        :param wait: until they are back, up to ``timeout`` seconds for each step
        """
        return self._end("restart", target_type, client_names, wait, timeout)

    def shutdown(
        self, target_type: str, client_names: Optional[List[str]] = None, wait: bool = True, timeout: float = 30.0
    ) -> Dict[str, Any]:
        """Has them end in good order; ``outcomes`` are what became of each.

        :param wait: until they have ended, up to ``timeout`` seconds for each step
        """
        return self._end("shutdown", target_type, client_names, wait, timeout)

    def shutdown_system(self) -> None:
        """Ends all sites and then the server, and waits for it."""
        self.shutdown(TargetType.ALL)

    def disable_client(self, client_name: str) -> Dict[str, Any]:
        """Keeps a site out until it is enabled again."""
        return self._ask("system", "disable-client", word(client_name, "'client_name'"), "--force")["sites"][0]

    def enable_client(self, client_name: str) -> Dict[str, Any]:
        """Lets a site in again, which comes back by itself."""
        return self._ask("system", "enable-client", word(client_name, "'client_name'"), "--force")["sites"][0]

    def configure_site_log(self, config: str, target: str = "all") -> None:
        """Changes how much server and sites log until they restart.

        :param config: ``error``, ``warn``, ``info`` or ``debug``; ``reload`` is what the kit says
        :param target: ``server``, ``client``, ``all``, or the name of a site
        """
        self._ask("system", "log-config", word(config, "'config'"), "--site", word(target, "'target'"))

    def _jobs(self, status: Dict[str, Any]) -> List[Dict[str, str]]:
        running = status["running_jobs"]
        try:
            names = {job["job_id"]: job["name"] for job in self._ask("job", "list")} if running else {}
        except AuthorizationError:
            # Whoever may look at the system may not have to see jobs.
            names = {}
        return [{"job_id": job_id, "app_name": names.get(job_id, "")} for job_id in running]

    def _end(self, verb: str, target_type: str, client_names: Optional[List[str]], wait: bool, timeout: float) -> Dict[str, Any]:
        waiting = ["--timeout", str(timeout)] if wait else ["--no-wait"]
        told = self._ask("system", verb, *_targets(target_type, client_names), "--force", *waiting, is_limited=False)
        if not told["outcomes"]:
            raise NoClientsAvailable("No site is connected.")
        return {"status": "ok", **told}


def _targets(target_type: str, names: Optional[List[str]]) -> List[str]:
    if target_type not in _TARGETS:
        raise InvalidArgumentError(f"'target_type' is {target_type!r}, and none of {', '.join(_TARGETS)}.")
    # As with FLARE, names count for sites alone.
    return [target_type, *(words(names, "the name of a site") if target_type == TargetType.CLIENT else [])]


def _connected(status: Dict[str, Any]) -> List[ClientInfo]:
    return [ClientInfo(site["name"], site["since_ms"] / 1000) for site in status["sites"] if site["state"] == "connected"]


def _jobs_of_sites(status: Dict[str, Any]) -> List[Dict[str, str]]:
    return [{"client_name": site["name"], "job_id": job_id} for site in status["sites"] for job_id in site["jobs"]]
