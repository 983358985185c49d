"""Arguments that FLARE's classes have and ours do nothing with, or cannot do."""

import difflib
import inspect
from typing import Any, Iterable, Mapping, NamedTuple, Set

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
            known = _names_of(type(owner)) | set(table)
            raise JobError(f"{name_of_class} has no argument '{name}'{nearest(name, known)}")
        if _is_same(value, other.default):
            continue
        if other.is_refused:
            raise JobError(f"{name_of_class}: '{name}' is not here: {other.why}")
        without_effect(f"'{name}' of {name_of_class}", other.why)


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: what may have been meant."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; there are {', '.join(names)}"


def without_none(**arguments: Any) -> Mapping[str, Any]:
    """Arguments of a configuration file: those that were given."""
    return {name: value for name, value in arguments.items() if value is not None}


def _names_of(owner: type) -> Set[str]:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        parameter.name
        for one in owner.__mro__
        if "__init__" in vars(one) and one is not object
        for parameter in inspect.signature(one.__init__).parameters.values()
        if parameter.kind in kinds and parameter.name != "self"
    }


def _is_same(value: Any, default: Any) -> bool:
    if value is default:
        return True
    try:
        return bool(value == default)
    except (TypeError, ValueError):
        # Arrays compare element by element.
        return False
