"""Arguments that FLARE's classes have and ours do nothing with, or cannot do."""

import difflib
import inspect
from typing import Any, Dict, Iterable, Mapping, NamedTuple

from .errors import JobError, without_effect


class Other(NamedTuple):
    """An argument of FLARE's that a class here does not use."""

    #: FLARE's default: whoever gives it asks for nothing.
    default: Any
    #: Why it does nothing, or what stands in its place.
    why: str
    is_refused: bool = False


def idle(default: Any, why: str) -> Other:
    """An argument that is taken, and named in a line when it is given."""
    return Other(default, why)


def refused(default: Any, why: str) -> Other:
    """An argument that a job must not have: without it the job would not do what its author means."""
    return Other(default, why, is_refused=True)


def settle(owner: Any, given: Mapping[str, Any], table: Mapping[str, Other]) -> None:
    """Looks through the arguments that the constructor of an object has not named itself.

    :raises JobError: for one that is refused, and for one that nobody knows, with the nearest name
    """
    name_of_class = type(owner).__name__
    for name, value in given.items():
        other = table.get(name)
        if other is None:
            known = {*_parameters(type(owner)), *table}
            raise JobError(f"{name_of_class} has no argument '{name}'{nearest(name, known)}")
        if is_same(value, other.default):
            continue
        if other.is_refused:
            raise JobError(f"{name_of_class}: '{name}' is not here: {other.why}")
        without_effect(f"'{name}' of {name_of_class}", other.why)


def require(owner: type, given: Iterable[str], count: int = 0) -> None:
    """Refuses a call that lacks arguments, with what may have been meant for one of them.

    :param count: how many were given without their names
    :raises JobError:
    """
    names = [*list(_parameters(owner))[:count], *given]
    missing = [name for name, has_default in _parameters(owner).items() if not has_default and name not in names]
    if not missing:
        return
    strange = [name for name in names if name not in _parameters(owner)]
    meant = [(close[0], name) for name in missing for close in [difflib.get_close_matches(name, strange, n=1)] if close]
    hint = "".join(f"; '{close}' may be meant for '{name}'" for close, name in meant)
    raise JobError(f"{owner.__name__} needs {' and '.join(repr(name) for name in missing)}{hint}")


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: what may have been meant."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; there are {', '.join(names)}"


def without_none(**arguments: Any) -> Mapping[str, Any]:
    """Arguments of a configuration file: those that were given."""
    return {name: value for name, value in arguments.items() if value is not None}


def _parameters(owner: type) -> Dict[str, bool]:
    """Arguments of a class, and whether they may be left out; also of those that it is derived from, where it hands on ``**arguments``."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found: Dict[str, bool] = {}
    for one in (one for one in owner.__mro__ if "__init__" in vars(one)):
        parameters = list(inspect.signature(one.__init__).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in kinds:
                found.setdefault(parameter.name, parameter.default is not inspect.Parameter.empty)
        if not any(parameter.name == "arguments" for parameter in parameters):
            break
    return found


def is_same(value: Any, default: Any) -> bool:
    """Whether an argument is what a default says."""
    if value is default:
        return True
    try:
        return bool(value == default)
    except (TypeError, ValueError):
        # Arrays compare element by element.
        return False
