"""What an answer must be before it is sent."""

import math
import numbers
import sys
from typing import Any, Dict, Mapping, Optional

from .errors import ClientApiError
from .fl_model import FLModel

#: Key of ``meta`` that gives a result its weight; FLARE's name.
WEIGHT_KEY = "NUM_STEPS_CURRENT_ROUND"


def check_parts(model: Any) -> None:
    """That the answer is an :class:`FLModel` whose parts are mappings."""
    if not isinstance(model, FLModel):
        raise ClientApiError("client-api/result-invalid", f"send() takes an FLModel, not a {type(model).__name__}.")
    for part, what in (("params", "tensors"), ("metrics", "numbers"), ("meta", "values")):
        value = getattr(model, part)
        if value is not None and not isinstance(value, Mapping):
            raise ClientApiError("client-api/result-invalid", f"{part} of an FLModel are {what} by name, not a {type(value).__name__}.")


def check_weight(model: FLModel, default: Optional[float], is_evaluation: bool = False) -> float:
    """Steps or samples that the result stands for.

    :param default: taken, with a line on standard error, where the script gives none; ``None``: it must give one.
    :param is_evaluation: it changes no model, and counts as 1 where the script gives no weight.
    """
    if is_evaluation and WEIGHT_KEY not in model.meta:
        return 1.0
    value = _number(model.meta.get(WEIGHT_KEY))
    if value is None and WEIGHT_KEY not in model.meta and default is not None:
        print(f"flare-client: the result has no {WEIGHT_KEY} in meta and counts as {default:g}", file=sys.stderr)
        return default
    if value is None or not (math.isfinite(value) and value > 0):
        given = repr(model.meta[WEIGHT_KEY]) if WEIGHT_KEY in model.meta else "missing"
        raise ClientApiError(
            "client-api/weight-missing",
            f"meta['{WEIGHT_KEY}'] is {given}; give the number of steps or samples that the result stands for.",
        )
    return value


def check_metrics(model: FLModel) -> Dict[str, float]:
    """Metrics as finite numbers."""
    metrics: Dict[str, float] = {}
    for name, value in (model.metrics or {}).items():
        number = _number(value)
        if number is None or not math.isfinite(number):
            raise ClientApiError("client-api/result-invalid", f"The metric '{name}' is {value!r}, not a finite number.")
        metrics[str(name)] = number
    return metrics


def is_number(value: Any) -> bool:
    """Whether it is a number, finite or not."""
    return _number(value) is not None


def is_metric(value: Any) -> bool:
    """Whether a metric can have it: a finite number."""
    number = _number(value)
    return number is not None and math.isfinite(number)


def check_count(name: str, value: Any) -> float:
    """A number of steps."""
    number = _number(value)
    if number is None or not (math.isfinite(number) and number >= 0):
        raise ClientApiError("client-api/result-invalid", f"progress() needs {name} as a number that is not negative, not {value!r}.")
    return number


def plain_json(value: Any, where: str = "meta") -> Any:
    """Plain JSON for what a script gives; NumPy's and torch's numbers become numbers."""
    value = _unwrapped(value)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, dict):
        return {str(key): plain_json(entry, f"{where}['{key}']") for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_json(entry, where) for entry in value]
    number = _number(value)
    if number is None:
        raise ClientApiError("client-api/result-invalid", f"{where} is a {type(value).__name__}, which is not plain JSON.")
    if not math.isfinite(number):
        raise ClientApiError("client-api/result-invalid", f"{where} is {number}, not a finite number.")
    return int(value) if isinstance(value, numbers.Integral) else number


def _number(value: Any) -> Optional[float]:
    value = _unwrapped(value)
    if not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except OverflowError:
        # A whole number that is larger than any number of the other side.
        return math.inf


def _unwrapped(value: Any) -> Any:
    """The element of a NumPy or torch scalar, or of an array that has one; everything else as it is."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) in ((), (1,)) else value
