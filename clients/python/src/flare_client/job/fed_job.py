"""FLARE's way to put a job together from Python: what goes to the server, and what to which site."""

import os
import re
import tempfile
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Union

from .app import ClientApp, ServerApp
from .arguments import checked_call, nearest, without_none
from .component import IdleComponent, ResultFilter, ServerModel, SiteExecutor, Workflow, WorkflowSetting, WrittenComponent
from .errors import JobError, without_effect
from .initial_model import is_torch_module
from .job_folder import AppFolder, write_job_folder
from .kinds import ALL_SITES, SERVER
from .object_by_name import SITE_OBJECTS
from .source_files import SourceFiles

#: Arguments that :meth:`FedJob.to` hands on.
_OPTIONS = ("tasks", "filter_type")

_NAME = re.compile(r"(?=.{1,128}$)[A-Za-z0-9](?:[A-Za-z0-9 ._-]*[A-Za-z0-9_-])?")
_SITE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")
_RESERVED = ("name", "deploy_map", "min_clients", "mandatory_clients")


class FedJob:
    """A job that is put together.

    :param meta_props: more of ``meta.json``, such as ``resource_spec`` or ``scope``
    """

    @checked_call
    def __init__(
        self,
        name: str = "fed_job",
        min_clients: int = 1,
        mandatory_clients: Optional[Sequence[str]] = None,
        meta_props: Optional[Mapping[str, Any]] = None,
        fail_fast: bool = False,
    ):
        if fail_fast:
            without_effect("'fail_fast' of FedJob", "a job ends at once when sites that it needs have left it")
        if _NAME.fullmatch(name) is None:
            raise JobError(f"'{name}' cannot be the name of a job: letters, digits, blanks, '.', '_' and '-' can be in it, 128 at most")
        self.name = name
        self.min_clients = min_clients
        self.mandatory_clients = list(mandatory_clients or [])
        self.meta_props: Dict[str, Any] = dict(meta_props or {})
        for key in _RESERVED:
            if key in self.meta_props:
                raise JobError(f"meta_props cannot have '{key}': FedJob has an argument for it, or writes it itself")
        #: Ids of components that its parts may ask for, as FLARE's jobs have them.
        self.comp_ids: Dict[str, str] = {}
        self._server: Optional[ServerApp] = None
        self._sites: Dict[str, ClientApp] = {}

    @property
    def sites(self) -> List[str]:
        """Sites that something was given to by name."""
        return [name for name in self._sites if name != ALL_SITES]

    @property
    def workflows(self) -> List[Workflow]:
        """What the server runs, in its order."""
        return [] if self._server is None else self._server.workflows

    @checked_call
    def to(self, obj: Any, target: str, id: Optional[str] = None, **options: Any) -> Any:
        """Gives something to the server or a site: a workflow, a model, a :class:`ScriptRunner`, a filter, what computes statistics or has identifiers, the path of a
        file or folder for ``custom``, or a dict with more settings of the configuration file.

        :param target: ``server``, the name of a site, or ``@ALL`` for every site
        :param options: ``tasks`` of a runner or filter (default: all), ``filter_type`` of a filter
        :returns: the id of a component; ids by name for a :class:`PTModel`
        :raises JobError: for what cannot be part of a job here
        """
        for option in options:
            if option not in _OPTIONS:
                raise JobError(f"'to' has no argument '{option}'{nearest(option, _OPTIONS)}")
        if target == SERVER:
            return self._give_server(obj, id)
        return self._give_site(obj, target, id, options)

    @checked_call
    def to_server(self, obj: Any, id: Optional[str] = None, **options: Any) -> Any:
        """Gives something to the server."""
        return self.to(obj, SERVER, id, **options)

    @checked_call
    def to_clients(self, obj: Any, id: Optional[str] = None, **options: Any) -> Any:
        """Gives something to every site."""
        return self.to(obj, ALL_SITES, id, **options)

    @checked_call
    def add_file_to(self, src_path: str, target: str, dest_dir: Optional[str] = None, app_folder_type: Optional[str] = None) -> None:
        """Puts a file, or what is in a folder, into ``custom`` of a site, without a look at what it imports.

        :raises JobError:
        """
        if app_folder_type not in (None, "custom"):
            raise JobError(f"'{app_folder_type}' is no folder that files can be added to; 'custom' is")
        if target == SERVER:
            without_effect(f"{src_path} at the server", "no code of a job runs there; it is left out")
        else:
            self._site_app(target).sources.add_file(src_path, dest_dir or "")

    @checked_call
    def add_file_to_server(self, src_path: str, dest_dir: Optional[str] = None, app_folder_type: Optional[str] = None) -> None:
        """Is taken for FLARE's sake: nothing at the server would read the file."""
        self.add_file_to(src_path, SERVER, dest_dir, app_folder_type)

    @checked_call
    def add_file_to_clients(self, src_path: str, dest_dir: Optional[str] = None, app_folder_type: Optional[str] = None) -> None:
        """Puts a file into ``custom`` of every site."""
        self.add_file_to(src_path, ALL_SITES, dest_dir, app_folder_type)

    @checked_call
    def export_job(self, job_root: str) -> str:
        """Writes the job's folder below another one; gives its path, ``<job_root>/<name>``.

        :raises JobError: when something is missing
        """
        if self._server is None:
            raise JobError("the server has no workflow, such as FedAvg")
        if not self._sites:
            raise JobError("no site has anything to do: give to_clients a ScriptRunner")
        server = self._server.configuration()
        model = self._server.initial_model()
        meta = {
            "name": self.name,
            "min_clients": self.min_clients,
            **without_none(mandatory_clients=self.mandatory_clients or None),
            **self.meta_props,
        }
        return write_job_folder(job_root, meta, self._app_folders(server, None if model is None else model.tensors()))

    @checked_call
    def simulator_run(
        self,
        workspace: str,
        n_clients: Optional[int] = None,
        clients: Union[Sequence[str], str, None] = None,
        threads: Optional[int] = None,
        gpu: Optional[str] = None,
        log_config: Optional[str] = None,
    ) -> int:
        """Runs the job on this machine with ``flare simulator``; gives 0, as nothing else comes back from a job that is completed.

        :raises FlareCommandError: when it is not
        """
        from ..simulator import simulate

        with tempfile.TemporaryDirectory(prefix="flare-job-") as folder:
            named = clients.split(",") if isinstance(clients, str) else clients
            simulate(
                self.export_job(folder),
                os.path.abspath(workspace),
                count=n_clients,
                names=None if named is None else [name.strip() for name in named],
                threads=threads,
                gpus=gpu,
                log_config=log_config,
            )
        return 0

    @contextmanager
    def more_settings(self, server: Optional[Mapping[str, Any]], client: Optional[Mapping[str, Any]]) -> Iterator[None]:
        """While it holds, the configuration files have these settings too; empty ones stand for none at all, as FLARE has it."""
        changed = [(self._server_app(), server), *((app, client) for app in self._sites.values())]
        before = [(app, app.settings) for app, _ in changed]
        for app, more in changed:
            if more is not None:
                app.settings = {**app.settings, **more} if more else {}
        try:
            yield
        finally:
            for app, settings in before:
                app.settings = settings

    def _app_folders(self, server: Dict[str, Any], model: Any) -> List[AppFolder]:
        documents = self._server_app().config_files()
        everywhere = self._sites.get(ALL_SITES)
        if everywhere is not None:
            if len(self._sites) > 1:
                raise JobError(f"the job goes to every site, and has something else for {', '.join(self.sites)}; name each site, or none")
            return [AppFolder("app", [ALL_SITES], server, everywhere.configuration(), model, everywhere.sources, documents)]
        return [
            AppFolder("app_server", [SERVER], server, None, model, SourceFiles(), documents),
            *(AppFolder(f"app_{name}", [name], None, app.configuration(), None, app.sources) for name, app in self._sites.items()),
        ]

    def _give_server(self, obj: Any, name: Optional[str]) -> Any:
        app = self._server_app()
        if isinstance(obj, Workflow):
            return app.add_workflow(obj, name)
        if isinstance(obj, str):
            without_effect(f"{obj} at the server", "no code of a job runs there; it is left out")
            return None
        if isinstance(obj, dict):
            app.settings.update(obj)
            return None
        if isinstance(obj, ResultFilter):
            if obj.path == "ModelDequantizer":
                return None
            raise JobError(f"{type(obj).__name__}: the server has no filters; results are filtered at sites")
        if isinstance(obj, ServerModel):
            own = app.add_component(obj, name)
            self.comp_ids["persistor_id"] = own
            # FLARE gives a locator of its own for a PTModel.
            return {"persistor_id": own, "locator_id": "locator"} if type(obj).__name__ == "PTModel" else own
        if isinstance(obj, IdleComponent):
            _tell(obj)
            return app.add_component(obj, name)
        if isinstance(obj, WrittenComponent) and obj.is_for_server:
            return app.add_component(obj, name)
        if isinstance(obj, (SiteExecutor, WrittenComponent, *SITE_OBJECTS)):
            raise JobError(f"a {type(obj).__name__} is for sites: use to_clients, or to with the name of a site")
        if isinstance(obj, WorkflowSetting) or is_torch_module(obj):
            return app.add_component(obj, name)
        raise JobError(f"{_class_of(obj)} is no component that is known here: no code of a job runs at the server")

    def _give_site(self, obj: Any, target: str, name: Optional[str], options: Mapping[str, Any]) -> Any:
        if isinstance(obj, (Workflow, WorkflowSetting, ServerModel)) or (isinstance(obj, WrittenComponent) and obj.is_for_server):
            raise JobError(f"a {type(obj).__name__} is for the server: use to_server")
        if isinstance(obj, (ResultFilter, WrittenComponent)) and type(obj).__module__.split(".")[0] != __name__.split(".")[0]:
            raise JobError(f"{_class_of(obj)} is a class of your own: a job's filters and cleansers are those that are here")
        app = self._site_app(target)
        tasks = list(options.get("tasks") or ["*"])
        if isinstance(obj, SiteExecutor):
            app.add_runner(obj, tasks)
            return {}
        if isinstance(obj, (WrittenComponent, *SITE_OBJECTS)):
            return app.add_component(obj, name)
        if isinstance(obj, str):
            app.sources.add(obj)
        elif isinstance(obj, dict):
            app.settings.update(obj)
        elif isinstance(obj, ResultFilter):
            app.add_filter(obj, tasks, options.get("filter_type"))
        elif isinstance(obj, IdleComponent):
            _tell(obj)
        else:
            raise JobError(f"{_class_of(obj)} is no component that is known here: a site runs a script, by a ScriptRunner")
        return None

    def _server_app(self) -> ServerApp:
        if self._server is None:
            self._server = ServerApp()
        return self._server

    def _site_app(self, target: str) -> ClientApp:
        if target != ALL_SITES and (not isinstance(target, str) or _SITE.fullmatch(target) is None):
            raise JobError(f"{target!r} is no name of a site")
        if target not in self._sites:
            self._sites[target] = ClientApp()
            self.set_up_client(target)
        return self._sites[target]

    def set_up_client(self, target: str) -> None:
        """Is called for each site that something is given to, for classes that are derived from this one."""


def _tell(component: IdleComponent) -> None:
    if component.is_told:
        without_effect(type(component).__name__, component.why)


def _class_of(obj: Any) -> str:
    return f"{type(obj).__module__}.{type(obj).__qualname__}"
