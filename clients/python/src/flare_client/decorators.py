"""FLARE's decorators: functions that take a model and give the answer, or its metrics, without calls of receive and send."""

import functools
import inspect
from typing import Any, Callable, Dict, Optional, Tuple

from . import api
from .fl_model import FLModel


def train(function: Optional[Callable[..., Any]] = None, **root: Any) -> Callable[..., Any]:
    """Sends what the function returns, an :class:`FLModel`, with the metrics that a function of :func:`evaluate` has given before.

    The received model is the function's first argument, whatever a caller gives for it. Where the task is evaluation alone, and a function
    of :func:`evaluate` has given its metrics, those are the answer, and this function is not called.
    """
    if function is None:
        return functools.partial(train, **root)

    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> Any:
        evaluation = api.send_evaluation()
        if evaluation is not None:
            return evaluation
        model = api.current_model()
        result = _call(function, model, args, {**root, **kwargs})
        if not isinstance(result, FLModel):
            raise TypeError(f"{function.__name__} must return an FLModel, not {type(result).__name__}")
        if model is not None and model.metrics is not None:
            result.metrics = model.metrics
        api.send(result)
        return result

    return answer


def evaluate(function: Optional[Callable[..., Any]] = None, **root: Any) -> Callable[..., Any]:
    """Keeps the metrics that the function returns, by name, or as ``metric`` where it is one number, in the received model's ``metrics``.

    The received model is the function's first argument, whatever a caller gives for it. Where the task is evaluation alone, these metrics are
    sent when the script asks for the next model, or calls a function of :func:`train`, unless it has sent an answer of its own before.
    """
    if function is None:
        return functools.partial(evaluate, **root)

    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> Any:
        model = api.current_model()
        result = _call(function, model, args, {**root, **kwargs})
        if result is None:
            raise TypeError(f"{function.__name__} must return a number or numbers by name, not None")
        if model is not None:
            model.metrics = result if isinstance(result, dict) else {"metric": result}
            api.keep_evaluation(model.metrics)
        return result

    return answer


def _call(function: Callable[..., Any], model: Optional[FLModel], args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
    first = next(iter(inspect.signature(function).parameters), None)
    return function(model, *args[1:], **{name: value for name, value in kwargs.items() if name != first})
