"""Arguments that FLARE's classes have and ours do nothing with, or cannot do."""

import difflib
import functools
import inspect
from typing import Any, Callable, Dict, Iterable, Mapping, NamedTuple, Sequence, TypeVar, cast

from .errors import JobError, without_effect

Call = TypeVar("Call", bound=Callable[..., Any])

#: Kinds of parameters that may be given by name.
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


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
    raise JobError(f"{owner.__name__}{_needs(missing, [name for name in names if name not in _parameters(owner)])}")


def checked_call(function: Call) -> Call:
    """A function or method of a job's definition that tells whoever calls it in a wrong way so as :func:`settle` and :func:`require` do.

    :raises JobError: where Python's own error would be, which comes with our code and no nearest name
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*arguments: Any, **given: Any) -> Any:
        try:
            signature.bind(*arguments, **given)
        except TypeError as error:
            name = type(arguments[0]).__name__ if function.__name__ == "__init__" else function.__name__
            raise JobError(f"{name}{_wrong_call(signature, arguments, given, error)}") from None
        return function(*arguments, **given)

    return cast(Call, call)


def _wrong_call(signature: inspect.Signature, arguments: Sequence[Any], given: Mapping[str, Any], error: TypeError) -> str:
    """The end of a sentence about a call that does not fit: the first of its mistakes."""
    parameters = {name: parameter for name, parameter in signature.parameters.items() if parameter.kind in _NAMED and name != "self"}
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in signature.parameters.values())
    strange = [name for name in given if name not in parameters]
    if strange and not takes_any:
        return f" has no argument '{strange[0]}'{nearest(strange[0], parameters)}"
    try:
        bound = signature.bind_partial(*arguments, **given).arguments
    except TypeError:
        return f": {error}"
    missing = [name for name, parameter in parameters.items() if parameter.default is inspect.Parameter.empty and name not in bound]
    return _needs(missing, strange)


def _needs(missing: Sequence[str], strange: Sequence[str]) -> str:
    """The end of a sentence about arguments that are missing, with what may have been written in their place."""
    meant = [(close[0], name) for name in missing for close in [difflib.get_close_matches(name, strange, n=1)] if close]
    hint = "".join(f"; '{close}' may be meant for '{name}'" for close, name in meant)
    return f" needs {' and '.join(repr(name) for name in missing)}{hint}"


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
    found: Dict[str, bool] = {}
    for one in (one for one in owner.__mro__ if "__init__" in vars(one)):
        parameters = list(inspect.signature(one.__init__).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in _NAMED:
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
