"""How the methods of a session ask ``flare``."""

from typing import Any, Callable, Dict, List, Optional, Sequence

from ..admin_commands import AdminCommands
from ..flare_command import FlareCommandError
from .errors import InvalidArgumentError, SessionClosed, admin_error


class Asking:
    """Asks with the kit of one admin, until it is closed."""

    _commands: AdminCommands
    _is_closed = False
    _timeout: Optional[float] = None

    def _ask(self, *arguments: str, is_limited: bool = True, on_event: Optional[Callable[[Dict[str, Any]], None]] = None) -> Any:
        """Gives ``data`` of the answer.

        :param is_limited: whether the time of :meth:`Session.set_timeout` counts for it
        :param on_event: is given what comes before the answer
        :raises AdminError:
        """
        if self._is_closed:
            raise SessionClosed("The session is closed; new_secure_session opens another one.")
        try:
            return self._commands.run(*arguments, on_event=on_event, timeout=self._timeout if is_limited else None)
        except FlareCommandError as error:
            raise admin_error(error) from None


def word(value: Any, what: str) -> str:
    """An argument as a word of a command line.

    :raises InvalidArgumentError: for none, and for one that would be taken for a flag
    """
    if not isinstance(value, str) or not value or value.startswith("-"):
        raise InvalidArgumentError(f"{what} is {value!r}, and must be a name.")
    return value


def words(values: Any, what: str) -> List[str]:
    """The same for several of them; a single one may come without a list."""
    several: Sequence[Any] = [values] if isinstance(values, str) else values or []
    return [word(value, what) for value in several]
