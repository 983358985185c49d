"""Recipes of jobs that train nothing, and evaluations that other recipes end with."""

import os
from typing import Any, Dict, Mapping, Optional, Sequence

from ..job import CrossSiteModelEval, FedJob, FrameworkType, GlobalModelEval, JobError
from ..job.arguments import checked_call, settle
from ..job.kinds import ExchangeFormat
from .fedavg import first_model
from .spec import Recipe

_NAMES = {"eval_script": "train_script", "eval_args": "train_args"}


class FedEvalRecipe(Recipe):
    """A model is evaluated at every site.

    :param model: its class or an object of it, where the file holds weights of PyTorch
    :param eval_ckpt: file on this machine with the weights
    :param eval_script: answers ``flare.is_evaluate()`` with metrics
    """

    framework = FrameworkType.PYTORCH

    def __init__(
        self,
        *,
        name: str = "eval",
        model: Any = None,
        eval_ckpt: str,
        min_clients: int,
        eval_script: str,
        eval_args: Any = "",
        launch_external_process: bool = False,
        command: Any = "python3 -u",
        server_expected_format: ExchangeFormat = ExchangeFormat.NUMPY,
        validation_timeout: int = 6000,
        per_site_config: Optional[Mapping[str, Mapping[str, Any]]] = None,
        client_memory_gc_rounds: int = 0,
        cuda_empty_cache: bool = False,
        **others: Any,
    ):
        settle(self, others, {})
        job = FedJob(name=name, min_clients=min_clients)
        job.to_server(first_model(model, eval_ckpt))
        job.to_server(GlobalModelEval(validation_timeout=validation_timeout))
        runner = _runner(eval_script, eval_args, launch_external_process, command, client_memory_gc_rounds, cuda_empty_cache)
        super().__init__(job, {**runner, "server_expected_format": server_expected_format})
        if per_site_config is not None:
            self.set_per_site_config(per_site_config)

    @checked_call
    def set_per_site_config(self, config: Mapping[str, Mapping[str, Any]]) -> None:
        """The same as of other recipes; ``eval_script`` and ``eval_args`` may be given by site."""
        super().set_per_site_config({site: {_NAMES.get(key, key): value for key, value in own.items()} for site, own in config.items()})


class NumpyCrossSiteEvalRecipe(Recipe):
    """A model, and one of each site's own where its script hands one in, are evaluated at every site.

    :param eval_script: answers ``flare.is_evaluate()`` with metrics; FLARE's stand-in for tests, which draws them, is not here
    :param initial_ckpt: file on this machine with the model
    :param model_dir: or the folder that it is in, with its name in ``model_name``: one model, where FLARE takes several
    """

    framework = FrameworkType.NUMPY

    def __init__(
        self,
        *,
        name: str = "numpy_cross_site_eval",
        min_clients: int = 2,
        eval_script: Optional[str] = None,
        eval_args: Any = "",
        launch_external_process: bool = False,
        command: Any = "python3 -u",
        initial_ckpt: Optional[str] = None,
        model_dir: Optional[str] = None,
        model_name: Optional[Mapping[str, str]] = None,
        submit_model_timeout: int = 600,
        validation_timeout: int = 6000,
        client_memory_gc_rounds: int = 0,
        cuda_empty_cache: bool = False,
        **others: Any,
    ):
        settle(self, others, {})
        if eval_script is None:
            raise JobError("NumpyCrossSiteEvalRecipe needs 'eval_script': there is no stand-in that makes metrics up")
        names = list((model_name or {"server": "server.npy"}).values())
        if initial_ckpt is None and len(names) != 1:
            raise JobError(f"NumpyCrossSiteEvalRecipe: 'model_name' names {len(names)} models, and one is evaluated in a job here")
        job = FedJob(name=name, min_clients=min_clients)
        job.to_server(first_model(None, initial_ckpt or os.path.join(model_dir or "models", names[0])))
        job.to_server(CrossSiteModelEval(submit_model_timeout=submit_model_timeout, validation_timeout=validation_timeout))
        runner = _runner(eval_script, eval_args, launch_external_process, command, client_memory_gc_rounds, cuda_empty_cache)
        super().__init__(job, {**runner, "framework": FrameworkType.NUMPY}, tasks=["validate", "submit_model"])


@checked_call
def add_cross_site_evaluation(
    recipe: Recipe,
    submit_model_timeout: int = 600,
    validation_timeout: int = 6000,
    participating_clients: Optional[Sequence[str]] = None,
) -> None:
    """Lets every model be evaluated at every site, once the recipe has trained.

    The script answers ``flare.is_evaluate()`` with metrics and ``flare.is_submit_model()`` with its own model, whatever it computes with.

    :raises JobError: when there is an evaluation already
    """
    _add_evaluation(
        recipe,
        CrossSiteModelEval(
            submit_model_timeout=submit_model_timeout,
            validation_timeout=validation_timeout,
            participating_clients=participating_clients,
        ),
    )


@checked_call
def add_final_global_evaluation(
    recipe: Recipe, participating_clients: Optional[Sequence[str]] = None, validation_timeout: int = 6000
) -> None:
    """Lets the global model be evaluated at every site, once the recipe has trained.

    :raises JobError: when there is an evaluation already
    """
    _add_evaluation(recipe, GlobalModelEval(validation_timeout=validation_timeout, participating_clients=participating_clients))


def _add_evaluation(recipe: Recipe, workflow: CrossSiteModelEval) -> None:
    if any(isinstance(one, CrossSiteModelEval) for one in recipe._job.workflows):
        raise JobError(f"the recipe '{recipe.name}' has an evaluation already")
    recipe._job.to_server(workflow)


def _runner(script: str, arguments: Any, is_external: bool, command: Any, gc_rounds: int, empties_cache: bool) -> Dict[str, Any]:
    return {
        "train_script": script,
        "train_args": arguments,
        "launch_external_process": is_external,
        "command": command,
        "client_memory_gc_rounds": gc_rounds,
        "cuda_empty_cache": empties_cache,
    }
