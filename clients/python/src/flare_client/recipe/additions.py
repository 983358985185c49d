"""What FLARE's functions add to a recipe."""

from typing import Any, Mapping, Optional, Sequence

from ..job import JobMetaKey
from ..job.arguments import checked_call, nearest, without_none
from ..job.errors import JobError, without_effect
from .spec import Recipe

_TRACKERS = ("mlflow", "tensorboard", "wandb")


@checked_call
def set_per_site_config(recipe: Recipe, config: Mapping[str, Mapping[str, Any]]) -> None:
    """Gives sites arguments of their own: :meth:`Recipe.set_per_site_config`."""
    recipe.set_per_site_config(config)


@checked_call
def set_recipe_meta(recipe: Recipe, key: JobMetaKey, value: Any) -> None:
    """Sets a key of the job's ``meta.json``: ``resource_spec``, ``scope`` or ``custom_props``.

    :raises JobError:
    """
    name = key.value if isinstance(key, JobMetaKey) else str(key)
    known = [one.value for one in JobMetaKey if one is not JobMetaKey.JOB_LAUNCHER_SPEC]
    if name == JobMetaKey.JOB_LAUNCHER_SPEC.value:
        raise JobError("'launcher_spec' is not here: a site starts jobs as processes")
    if name not in known:
        raise JobError(f"'{name}' is no key that a recipe sets{nearest(name, known)}")
    recipe._job.meta_props[name] = value


@checked_call
def add_secure_aggregation(
    recipe: Recipe, min_sites: int = 3, max_weight: Optional[int] = None, step_timeout: Optional[float] = None
) -> None:
    """Has sites mask their updates, so that the server learns their sum alone (``docs/secure-aggregation.md``). Not FLARE's.

    :param min_sites: no sum of fewer sites is ever made known
    :param max_weight: the largest weight of an update, such as its number of samples; 1,000,000 unless given
    :param step_timeout: seconds that the sites of a sum have for each step after their updates; 300 unless given
    :raises JobError: for what cannot be, and for a recipe whose server reads single updates
    """
    job = recipe._job
    readers = [workflow.path for workflow in job.workflows if workflow.path != "FedAvg"]
    if readers or not job.workflows:
        why = f"this job has {' and '.join(readers)}: its server reads single updates" if readers else "this job has no workflow"
        raise JobError(f"secure aggregation is for FedAvg, and {why}")
    if not isinstance(min_sites, int) or min_sites < 2:
        raise JobError(f"'min_sites' is {min_sites!r}; it is a whole number from 2 on: the sum of one update is that update")
    if job.min_clients < min_sites:
        raise JobError(f"'min_clients' is {job.min_clients}, and sums are of {min_sites} sites or more: the job must not start with fewer")
    given = without_none(min_sites=min_sites, max_weight=max_weight, step_timeout=step_timeout)
    for name, value in given.items():
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < float("inf"):
            raise JobError(f"'{name}' is {value!r}; it is a number above 0")
    job.meta_props["secure_aggregation"] = dict(given)


@checked_call
def add_experiment_tracking(
    recipe: Recipe,
    tracking_type: str,
    tracking_config: Optional[Mapping[str, Any]] = None,
    client_side: bool = False,
    server_side: bool = True,
    clients: Optional[Sequence[str]] = None,
) -> None:
    """Is taken for FLARE's sake: what scripts track is there in any case.

    :raises JobError: for a kind of tracking that nobody knows
    """
    del recipe, tracking_config, client_side, server_side, clients
    if tracking_type not in _TRACKERS:
        raise JobError(f"'{tracking_type}' is no kind of tracking{nearest(tracking_type, _TRACKERS)}")
    why = "what scripts track is shown by `flare job metrics` and on the dashboard, without a receiver"
    without_effect(f"add_experiment_tracking(\"{tracking_type}\")", why)
