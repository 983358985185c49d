"""What one app of a job holds, for the server or for sites."""

from typing import Any, Dict, List, Optional, Tuple, Union

from ..psi.spec import PSI
from ..statistics.spec import Statistics
from .arguments import nearest
from .component import ResultFilter, ServerModel, SiteExecutor, Workflow, WorkflowSetting, WrittenComponent
from .errors import JobError
from .initial_model import is_torch_module
from .kinds import FilterType
from .models import PTFileModelPersistor
from .object_by_name import SITE_OBJECTS, SiteObject, arguments_of, class_path
from .source_files import SourceFiles
from .workflows import check_workflow

#: File of a job's first model, in the server's app.
INITIAL_MODEL = "initial_model.safetensors"


class ClientApp:
    """Scripts, filters and files of sites."""

    def __init__(self) -> None:
        self.sources = SourceFiles()
        self.settings: Dict[str, Any] = {}
        self._runners: List[Tuple[List[str], SiteExecutor]] = []
        self._filters: Dict[str, List[Tuple[List[str], ResultFilter]]] = {FilterType.TASK_RESULT: [], FilterType.TASK_DATA: []}
        self._components: Dict[str, Union[WrittenComponent, SiteObject]] = {}

    def add_component(self, component: Union[WrittenComponent, SiteObject], name: Any = None) -> str:
        """Adds a component, or an object that computes statistics or has identifiers; gives its id, which is the same for one that is there already.

        :raises JobError: for an object that a site could not make from its class and arguments
        """
        # A mistake of the line that adds it, not of the export.
        _written_component("", component)
        return _added(self._components, component, name or ("generator" if isinstance(component, Statistics) else "local_psi" if isinstance(component, PSI) else None))

    def add_runner(self, runner: SiteExecutor, tasks: List[str]) -> None:
        """Adds a script for some tasks."""
        self._runners.append((tasks, runner))

    def add_filter(self, added: ResultFilter, tasks: List[str], kind: Any) -> None:
        """Adds a filter of what is sent, or of what is received, which can only be one that does nothing.

        :raises JobError:
        """
        if kind not in self._filters:
            raise JobError(f"a filter needs filter_type: FilterType.TASK_RESULT or FilterType.TASK_DATA, not {kind!r}")
        if kind == FilterType.TASK_DATA and added.path != "ModelDequantizer":
            raise JobError(f"{added.path}: models go to sites as they are; a filter can stand at a site's results, FilterType.TASK_RESULT")
        self._filters[kind].append((tasks, added))

    def configuration(self) -> Dict[str, Any]:
        """``config_fed_client.json``; puts the scripts among the files.

        :raises JobError: without a script
        """
        if not self._runners:
            raise JobError("a site's app has no ScriptRunner")
        executors = []
        for tasks, runner in self._runners:
            place = "" if runner.script is None else self.sources.add_script(runner.script)
            executors.append({"tasks": tasks, "executor": runner.executor(place)})
        for component in self._components.values():
            if isinstance(component, SITE_OBJECTS):
                self.sources.add_class(type(component))
        components = [_written_component(name, component) for name, component in self._components.items()]
        results = _lists(self._filters[FilterType.TASK_RESULT])
        return {
            "format_version": 2,
            "executors": executors,
            **({"task_result_filters": results} if results else {}),
            **({"components": components} if components else {}),
            **self.settings,
        }


class ServerApp:
    """Workflows and first model of the server."""

    def __init__(self) -> None:
        self.settings: Dict[str, Any] = {}
        self._workflows: List[Tuple[str, Workflow]] = []
        self._components: Dict[str, Any] = {}

    def add_workflow(self, workflow: Workflow, name: Any = None) -> str:
        """Adds a workflow behind those that are there; gives its id.

        :raises JobError: for a class of the author's own
        """
        check_workflow(workflow)
        taken = [known for known, _ in self._workflows]
        own = _free(str(name or workflow.default_id), taken)
        self._workflows.append((own, workflow))
        return own

    def add_component(self, component: Any, name: Any = None) -> str:
        """Adds anything else; gives its id."""
        return _added(self._components, component, name)

    @property
    def workflows(self) -> List[Workflow]:
        """Those of the job, in their order."""
        return [workflow for _, workflow in self._workflows]

    def initial_model(self) -> Optional[ServerModel]:
        """The model that the job begins with; ``None`` where no workflow needs one.

        :raises JobError: when there is none, or several
        """
        models = [component for component in self._components.values() if isinstance(component, ServerModel)]
        for model in models:
            if isinstance(model, PTFileModelPersistor) and model.component_id is not None:
                model.take(self._module(model.component_id))
        training = [workflow for workflow in self.workflows if workflow.needs_model]
        if not training:
            if models:
                raise JobError("no workflow of the job begins with a model: leave it out")
            return None
        models += [model for model in (workflow.initial_model() for workflow in training[:1]) if model is not None]
        if not models:
            raise JobError("the job has no first model: give the server a PTModel, an NPModelPersistor, or the recipe a 'model'")
        if len(models) > 1:
            raise JobError("the job has several first models: a job here has one")
        return models[0]

    def configuration(self) -> Dict[str, Any]:
        """``config_fed_server.json``.

        :raises JobError: without a workflow
        """
        if not self._workflows:
            raise JobError("the server has no workflow, such as FedAvg")
        said: Dict[str, Any] = {}
        for component in self._components.values():
            if isinstance(component, WorkflowSetting):
                said.update(component.workflow_arguments())
        workflows = []
        start = next((at for at, workflow in enumerate(self.workflows) if workflow.needs_model), None)
        for at, (name, workflow) in enumerate(self._workflows):
            first = {"initial_model": INITIAL_MODEL} if at == start else {}
            arguments = {**(said if workflow.is_training else {}), **workflow.arguments, **first}
            workflows.append({"id": name, "path": workflow.path, "args": arguments})
        components = [_written_component(name, one) for name, one in self._components.items() if isinstance(one, WrittenComponent)]
        return {"format_version": 2, "workflows": workflows, **({"components": components} if components else {}), **self.settings}

    def config_files(self) -> Dict[str, Any]:
        """Documents that stand beside ``config_fed_server.json``, by their names.

        :raises JobError: for two of one name
        """
        files: Dict[str, Any] = {}
        for workflow in self.workflows:
            for name, document in workflow.config_files().items():
                if files.get(name, document) != document:
                    raise JobError(f"two workflows have a file '{name}', with something else in it")
                files[name] = document
        return files

    def _module(self, name: str) -> Any:
        found = self._components.get(name)
        if not is_torch_module(found):
            raise JobError(f"'{name}' is no model of the server's app{nearest(name, self._components)}")
        return found


def _added(components: Dict[str, Any], component: Any, name: Any) -> str:
    for known, before in components.items():
        if before is component:
            return known
    own = _free(str(name or getattr(component, "default_id", "component")), list(components))
    components[own] = component
    return own


def _written_component(name: str, component: Union[WrittenComponent, SiteObject]) -> Dict[str, Any]:
    if isinstance(component, SITE_OBJECTS):
        return {"id": name, "path": class_path(component), "args": arguments_of(component)}
    return {"id": name, "path": component.path, "args": component.arguments}


def _free(name: str, taken: List[str]) -> str:
    count = 1
    free = name
    while free in taken:
        free = f"{name}{count}"
        count += 1
    return free


def _lists(filters: List[Tuple[List[str], ResultFilter]]) -> List[Dict[str, Any]]:
    """Filters by their tasks: of several lists only the first that fits a task counts, so those of the same tasks are one."""
    lists: List[Dict[str, Any]] = []
    for tasks, one in filters:
        written = {"path": one.path, "args": one.arguments} if one.arguments else {"path": one.path}
        same = next((entry for entry in lists if entry["tasks"] == tasks), None)
        if same is None:
            lists.append({"tasks": tasks, "filters": [written]})
        else:
            same["filters"].append(written)
    return lists
