"""What all recipes have in common."""

from typing import Any, Dict, List, Mapping, Optional, Sequence

from ..job import ALL_SITES, FedJob, FilterType, FrameworkType, JobError, ScriptRunner
from ..job.arguments import Other, checked_call, idle, nearest, require
from ..job.component import SiteExecutor
from ..job.errors import without_effect
from . import export_flags
from .environment import ExecEnv
from .run import Run

#: Arguments of FLARE's recipes that nothing follows from here.
MEMORY = idle(0, "nothing is kept in memory between rounds")
COMMON: Mapping[str, Other] = {
    "server_memory_gc_rounds": MEMORY,
    "enable_tensor_disk_offload": idle(False, "updates are always on disk"),
}

#: Arguments that say how a site runs the script, by the names of :class:`ScriptRunner`.
_RUNNER = {
    "train_script": "script",
    "train_args": "script_args",
    "launch_external_process": "launch_external_process",
    "command": "command",
    "framework": "framework",
    "server_expected_format": "server_expected_format",
    "params_transfer_type": "params_transfer_type",
    "launch_once": "launch_once",
    "launch_timeout": "launch_timeout",
    "shutdown_timeout": "shutdown_timeout",
    "client_memory_gc_rounds": "memory_gc_rounds",
    "cuda_empty_cache": "cuda_empty_cache",
    "env": "env",
}


class Recipe:
    """A whole job of a usual kind. It may be changed until it is exported or run.

    :param job: with the server's part
    :param runner: how every site runs its script, by the names of the recipe's arguments; ``None`` where the job's sites have their part
    :param tasks: that sites have for it
    """

    #: What the job's script computes with, for :func:`flare_client.recipe.add_cross_site_evaluation` and its kin.
    framework: FrameworkType = FrameworkType.NUMPY
    #: Names of arguments that may be given by site.
    _site_keys: Sequence[str] = tuple(name for name in _RUNNER if name not in ("client_memory_gc_rounds", "cuda_empty_cache"))

    def __new__(cls, *arguments: Any, **named: Any) -> "Recipe":
        # Python itself would only say what is missing, not what was written in its place. A class of the author's own has its own rules.
        if cls.__module__.startswith(__package__):
            require(cls, named, len(arguments))
        return super().__new__(cls)

    def __init__(self, job: FedJob, runner: Optional[Mapping[str, Any]] = None, tasks: Optional[Sequence[str]] = None):
        self._job = job
        self.name = job.name
        self._runner = dict(runner or {})
        self._tasks = None if tasks is None else list(tasks)
        self._sites: Dict[str, Dict[str, Any]] = {}
        self._has_clients = runner is None
        if runner is not None:
            # A script or command that cannot be used is a mistake of the line that makes the recipe.
            self._create_client_runner({})

    @checked_call
    def set_per_site_config(self, config: Mapping[str, Mapping[str, Any]]) -> None:
        """Gives sites arguments of their own; the job goes to these sites then, and to no others.

        :param config: by the names of the sites, each with arguments of the recipe that say how the script runs
        :raises JobError:
        """
        if not config:
            raise JobError("the configuration names no site")
        if self._sites or self._has_clients:
            raise JobError("sites are given their own arguments once, and before anything else is added to them")
        for site, own in config.items():
            for key in own:
                if key not in self._site_keys:
                    raise JobError(f"a site has no argument '{key}'{nearest(key, self._site_keys)}")
            if site in (ALL_SITES, "server"):
                raise JobError(f"'{site}' is no name of a site")
            self._create_client_runner(own)
        if len(config) < self._job.min_clients:
            raise JobError(f"the configuration names {len(config)} sites, and min_clients is {self._job.min_clients}")
        self._sites = {site: dict(own) for site, own in config.items()}

    def configured_sites(self) -> List[str]:
        """Sites with arguments of their own."""
        return list(self._sites)

    @checked_call
    def add_client_config(self, config: Dict[str, Any], clients: Optional[List[str]] = None) -> None:
        """Adds settings to ``config_fed_client.json``."""
        self._give_clients(dict(config), clients)

    @checked_call
    def set_client_env(self, env: Mapping[str, Any]) -> None:
        """Not FLARE's: gives scripts environment variables, each a text or ``{"from_secret": "<name>"}``, a secret that the site keeps. A site
        may have its own, by ``env`` of :meth:`set_per_site_config`.

        :raises JobError: once something was added to sites, and for a recipe that runs no script
        """
        if self._has_clients:
            raise JobError("'env' is given before anything is added to sites, to a recipe whose sites run a script")
        self._runner["env"] = dict(env)

    @checked_call
    def add_client_file(self, file_path: str, clients: Optional[List[str]] = None) -> None:
        """Puts a file, a script with its modules, or what is in a folder, into ``custom`` of sites."""
        self._give_clients(file_path, clients)

    @checked_call
    def add_client_input_filter(self, filter: Any, tasks: Optional[List[str]] = None, clients: Optional[List[str]] = None) -> None:
        """Takes a filter of what sites receive, if it is one that does nothing."""
        self._give_clients(filter, clients, filter_type=FilterType.TASK_DATA, tasks=tasks)

    @checked_call
    def add_client_output_filter(self, filter: Any, tasks: Optional[List[str]] = None, clients: Optional[List[str]] = None) -> None:
        """Adds a filter of what sites send."""
        self._give_clients(filter, clients, filter_type=FilterType.TASK_RESULT, tasks=tasks)

    @checked_call
    def add_server_config(self, config: Dict[str, Any]) -> None:
        """Adds settings to ``config_fed_server.json``."""
        self._job.to_server(dict(config))

    @checked_call
    def add_server_file(self, file_path: str) -> None:
        """Is taken for FLARE's sake: nothing at the server would read the file."""
        self._job.to_server(file_path)

    @checked_call
    def add_server_input_filter(self, filter: Any, tasks: Optional[List[str]] = None) -> None:
        """Takes a filter of what the server receives, if it is one that does nothing."""
        self._job.to_server(filter, filter_type=FilterType.TASK_RESULT, tasks=tasks)

    @checked_call
    def add_server_output_filter(self, filter: Any, tasks: Optional[List[str]] = None) -> None:
        """Takes a filter of what the server sends, if it is one that does nothing."""
        self._job.to_server(filter, filter_type=FilterType.TASK_DATA, tasks=tasks)

    @checked_call
    def add_decomposers(self, decomposers: Any) -> None:
        """Is taken for FLARE's sake."""
        if decomposers:
            without_effect("add_decomposers", "objects of Python never travel, models are safetensors")

    def enable_log_streaming(self, *file_names: str) -> None:
        """Is taken for FLARE's sake."""
        del file_names
        why = "a site says itself whether its log lines are read, by 'allow_log_streaming'; `flare job logs` shows them"
        without_effect("enable_log_streaming", why)

    def enable_tensor_streaming(self, *arguments: Any, **named: Any) -> None:
        """Is taken for FLARE's sake."""
        del arguments, named
        without_effect("enable_tensor_streaming", "models always travel in pieces")

    @checked_call
    def export(
        self,
        job_dir: str,
        server_exec_params: Optional[Dict[str, Any]] = None,
        client_exec_params: Optional[Dict[str, Any]] = None,
        env: Optional[ExecEnv] = None,
    ) -> str:
        """Writes the job's folder below another one; gives its path, ``<job_dir>/<name>``.

        :param server_exec_params: more settings of ``config_fed_server.json``, for this export
        :param client_exec_params: likewise of ``config_fed_client.json``
        :param env: taken for FLARE's sake: a job is the same wherever it runs
        :raises JobError:
        """
        del env
        self._prepare_clients()
        with self._job.more_settings(server_exec_params, client_exec_params):
            return self._job.export_job(job_dir)

    @checked_call
    def run(
        self,
        env: ExecEnv,
        server_exec_params: Optional[Dict[str, Any]] = None,
        client_exec_params: Optional[Dict[str, Any]] = None,
    ) -> Run:
        """Runs the job; in a simulation, to its end.

        :raises FlareCommandError: when it cannot be started, or a simulation of it is not completed
        """
        self._prepare_clients()
        with self._job.more_settings(server_exec_params, client_exec_params):
            return Run(env, env.deploy(self._job))

    @checked_call
    def execute(
        self,
        env: ExecEnv,
        server_exec_params: Optional[Dict[str, Any]] = None,
        client_exec_params: Optional[Dict[str, Any]] = None,
    ) -> Run:
        """Runs the job; or, where the script was started with ``--export``, writes its folder and ends the script."""
        if export_flags.EXPORT_FOLDER is None:
            return self.run(env, server_exec_params, client_exec_params)
        print(f"Job exported to: {self.export(export_flags.EXPORT_FOLDER, server_exec_params, client_exec_params, env)}")
        raise SystemExit(0)

    def _prepare_clients(self) -> None:
        """Gives sites their scripts, once."""
        if self._has_clients:
            return
        self._has_clients = True
        for site, own in self._sites.items() if self._sites else [(ALL_SITES, {})]:
            self._job.to(self._create_client_runner(own), site, tasks=self._tasks)

    def _create_client_runner(self, site_config: Mapping[str, Any]) -> SiteExecutor:
        """What runs at a site with these arguments of its own. FLARE's users override this one too."""
        given = {**self._runner, **{key: value for key, value in site_config.items() if value is not None}}
        return ScriptRunner(**{_RUNNER[name]: value for name, value in given.items()})

    def _give_clients(self, obj: Any, clients: Optional[List[str]], **options: Any) -> None:
        self._prepare_clients()
        targets = self._job.sites or [ALL_SITES]
        if clients is not None:
            if not self._job.sites:
                raise JobError("the job goes to all sites alike: name its sites by set_per_site_config before something is added to one")
            strangers = [name for name in clients if name not in self._job.sites]
            if strangers or not clients:
                raise JobError(f"{', '.join(strangers) or 'nobody'} is no site of the job; {', '.join(self._job.sites)} are")
            targets = clients
        for target in targets:
            self._job.to(obj, target, **options)
