"""An object of the author's own as a site makes it again: by its class's name and the arguments of its constructor."""

import ast
import inspect
import os
import site
import sys
import sysconfig
from enum import Enum
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from ..psi.spec import PSI
from ..statistics.csv_statistics import CsvStatistics
from ..statistics.spec import Statistics
from .arguments import is_same
from .errors import JobError
from .secret_signs import tell_secrets

#: Packages that every site has by its software, whatever lies in the author's folder.
OURS = frozenset(("nvflare", "flare_client"))

#: Objects of classes of the author's own that sites make again.
SITE_OBJECTS = (Statistics, PSI)
SiteObject = Union[Statistics, PSI]

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def class_path(made: Any) -> str:
    """What a configuration file calls the class of an object: ``module.Class``, or the name of the one of ours that stands by itself.

    :raises JobError: for a class that a site could not import
    """
    kind = type(made)
    if kind is CsvStatistics:
        return kind.__name__
    if kind.__module__.split(".")[0] in OURS:
        raise JobError(f"a {kind.__name__} by itself has no data: derive a class from it")
    if kind.__qualname__ != kind.__name__:
        raise JobError(f"{kind.__qualname__} is defined inside of something else, where a site cannot import it: put it into a module")
    module = module_name_of(kind)
    if not all(part.isidentifier() and part.isascii() for part in module.split(".")):
        raise JobError(f"the class {kind.__name__} is in {module}.py, which no import can name: give the file another name")
    if kind.__module__ == "__main__" and not _is_guarded(source_of(kind)):
        raise JobError(
            f"the class {kind.__name__} is in the script that makes the job, which sites would import and run: put it into a module of "
            "its own, or what makes the job under `if __name__ == \"__main__\":`"
        )
    return f"{module}.{kind.__name__}"


def module_name_of(kind: type) -> str:
    """The module that a site imports a class from; for one of the script itself, the name of its file."""
    if kind.__module__ != "__main__":
        return kind.__module__
    return os.path.splitext(os.path.basename(_file_of(kind)))[0]


def source_of(kind: type) -> Optional[str]:
    """The file that a class is defined in, where it is the author's own; ``None`` for what is installed."""
    if kind.__module__.split(".")[0] in OURS:
        return None
    file = os.path.abspath(_file_of(kind))
    return None if file.startswith(_installed()) else file


def arguments_of(made: Any) -> Dict[str, Any]:
    """The arguments by which an object is made again, as FLARE finds them: attributes of the same names, with or without a leading ``_``.

    Where there is no such attribute, what the object was made with counts, which FLARE leaves out. Defaults are not written.

    :raises JobError: for what a document cannot hold
    """
    kind = type(made)
    given = _given(made)
    found: Dict[str, Any] = {}
    for name, parameter in _parameters(kind).items():
        for held, key in ((vars(made), name), (vars(made), f"_{name}"), (given, name)):
            if key in held:
                if parameter.default is inspect.Parameter.empty or not is_same(held[key], parameter.default):
                    found[name] = _plain(held[key], f"'{name}' of {kind.__name__}")
                break
        else:
            if parameter.default is inspect.Parameter.empty:
                raise JobError(f"{kind.__name__} keeps its argument '{name}' nowhere: let its constructor set self.{name}")
    tell_secrets(found, f"the arguments of {kind.__name__}")
    return found


def _given(made: Any) -> Mapping[str, Any]:
    """Arguments by name of an object that remembers them."""
    if not isinstance(made, SITE_OBJECTS):
        return {}
    arguments, named = made.given_arguments
    bound = inspect.signature(type(made).__init__).bind(made, *arguments, **named)
    given: Dict[str, Any] = {}
    for name, parameter in bound.signature.parameters.items():
        if name not in bound.arguments:
            continue
        value = bound.arguments[name]
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            given.update(value)
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            raise JobError(f"{type(made).__name__} was made with '*{name}', and a job can only hand on arguments that have names")
        else:
            given[name] = value
    return given


def _parameters(kind: type) -> Dict[str, inspect.Parameter]:
    """Those of the constructor; also of the classes that it is derived from, where it hands on ``**named`` ones."""
    found: Dict[str, inspect.Parameter] = {}
    for one in (one for one in kind.__mro__ if "__init__" in vars(one) and one is not object):
        parameters = list(inspect.signature(one.__init__).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in _NAMED:
                found.setdefault(parameter.name, parameter)
        if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _plain(value: Any, what: str) -> Any:
    """A value as it stands in a document, and comes out of it."""
    if isinstance(value, Enum):
        return _plain(value.value, what)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(one, what) for one in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(one, what) for key, one in value.items()}
    raise JobError(f"{what} is a {type(value).__name__}, which the job's documents cannot hold: give texts, numbers, lists, or dicts of them")


def _file_of(kind: type) -> str:
    try:
        file = inspect.getsourcefile(kind)
    except (OSError, TypeError):
        file = None
    if file is None or not os.path.isfile(file):
        raise JobError(f"the class {kind.__module__}.{kind.__qualname__} has no file that a job could take along")
    return file


def _installed() -> Tuple[str, ...]:
    """Folders of packages, and of Python itself."""
    paths = sysconfig.get_paths()
    folders: List[str] = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders += [*site.getsitepackages(), site.getusersitepackages()] if hasattr(site, "getsitepackages") else []
    folders += [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")]
    return tuple(os.path.join(os.path.abspath(folder), "") for folder in folders)


def _is_guarded(file: Optional[str]) -> bool:
    """Whether a script asks for its own name before it does something."""
    if file is None:
        return True
    with open(file, "rb") as source:
        tree = ast.parse(source.read(), filename=file)
    return any(isinstance(node, ast.If) and "__name__" in ast.dump(node.test) for node in tree.body)
