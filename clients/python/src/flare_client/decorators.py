"""FLARE's decorators: a function that takes a model and gives one answers tasks by itself."""

import functools
from typing import Any, Callable, Optional

from . import api
from .fl_model import FLModel


def train(function: Optional[Callable[..., Any]] = None, **root: Any) -> Callable[..., Any]:
    """Calls the function with the received model and sends what it returns, an :class:`FLModel`."""
    if function is None:
        return functools.partial(train, **root)

    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> Any:
        model = api.receive()
        result = function(model, *args, **{**root, **kwargs})
        if not isinstance(result, FLModel):
            raise TypeError(f"{function.__name__} must return an FLModel, not {type(result).__name__}")
        api.send(result)
        return result

    return answer


def evaluate(function: Optional[Callable[..., Any]] = None, **root: Any) -> Callable[..., Any]:
    """Calls the function with the received model; the metric that it returns stands in the model's ``metrics``."""
    if function is None:
        return functools.partial(evaluate, **root)

    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> Any:
        model = api.receive()
        result = function(model, *args, **{**root, **kwargs})
        if model is not None:
            model.metrics = dict(result) if isinstance(result, dict) else {"metric": float(result)}
        return result

    return answer
