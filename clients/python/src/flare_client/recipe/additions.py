"""What FLARE's functions add to a recipe."""

from typing import Any, Mapping, Optional, Sequence

from ..job import JobMetaKey
from ..job.arguments import nearest
from ..job.errors import JobError, without_effect
from .spec import Recipe

_TRACKERS = ("mlflow", "tensorboard", "wandb")


def set_per_site_config(recipe: Recipe, config: Mapping[str, Mapping[str, Any]]) -> None:
    """Gives sites arguments of their own: :meth:`Recipe.set_per_site_config`."""
    recipe.set_per_site_config(config)


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
