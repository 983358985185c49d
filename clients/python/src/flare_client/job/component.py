"""What a job is put together from."""

from typing import Any, Dict, Mapping, Optional

from ..safetensors import RawTensor


class Workflow:
    """Something that the server runs, by its name in ``config_fed_server.json``."""

    path: str = ""
    #: Name by which it is told from others of the job, unless the job gives one.
    default_id: str = "controller"
    #: Whether it combines updates, so that a selector, an aggregator or an optimizer has something to say to it.
    is_training: bool = False
    #: Whether a job that begins with it needs a first model.
    needs_model: bool = True

    def __init__(self, **arguments: Any):
        self.arguments: Dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}

    def config_files(self) -> Mapping[str, Any]:
        """Documents that stand beside the configuration, by their names: what the workflow names by an argument."""
        return {}

    def initial_model(self) -> "Optional[ServerModel]":
        """The first model, where the workflow itself was given one."""
        return None


class WorkflowSetting:
    """A component of the server's that says here how the training workflow works."""

    default_id: str = "component"

    def workflow_arguments(self) -> Mapping[str, Any]:
        """Arguments that the training workflow has by it, unless it was given them itself."""
        raise NotImplementedError


class ServerModel:
    """The model that a job begins with."""

    default_id: str = "persistor"

    def tensors(self) -> Dict[str, RawTensor]:
        """Its tensors by name.

        :raises JobError: when there is none, or it cannot be a model here
        """
        raise NotImplementedError


class WrittenComponent:
    """A component that stands among those of a configuration file, under its id, by its name there."""

    path: str = ""
    default_id: str = "component"
    #: Whether it is the server's; sites have the others.
    is_for_server: bool = False

    def __init__(self, **arguments: Any):
        self.arguments: Dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}


class SiteExecutor:
    """What does a site's tasks."""

    #: A script on this machine that goes along; ``None`` where none does.
    script: Optional[str] = None

    def executor(self, place: str) -> Dict[str, Any]:
        """What stands in ``config_fed_client.json``.

        :param place: of the script in ``custom``
        """
        raise NotImplementedError


class ResultFilter:
    """A filter of what sites send, by its name in ``config_fed_client.json``."""

    path: str = ""

    def __init__(self, **arguments: Any):
        self.arguments: Dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}


class IdleComponent:
    """A component of FLARE's that is taken, does nothing here, and is named in a line."""

    default_id: str = "component"
    #: What does its work here.
    why: str = ""
    #: Whether to say so: no word for what is there in any case.
    is_told: bool = True

    def __init__(self, *arguments: Any, **named: Any):
        del arguments, named
