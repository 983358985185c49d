"""What a session raises: FLARE's exceptions, each with the code, the words and the hint of what ``flare`` said."""

from typing import Any, Dict, Mapping, Optional, Sequence, Type

from ..flare_command import FlareCommandError


class AdminError(FlareCommandError):
    """A session could not do what it was asked; ``error_code`` is that of the error catalogue."""

    #: Code of an error that did not come from ``flare``.
    own_code = "runtime/invalid-argument"

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        hint: str = "",
        problems: Sequence[str] = (),
        facts: Optional[Mapping[str, Any]] = None,
        exit_code: int = 1,
    ):
        super().__init__(code or self.own_code, message, hint, problems, facts, exit_code)

    @property
    def error_code(self) -> str:
        """FLARE's name of ``code``."""
        return self.code


class CommandError(AdminError):
    """``flare`` has failed in a way that has no class of its own."""


class InvalidArgumentError(AdminError, ValueError):
    """An argument is none that the method takes."""


class InvalidJobDefinition(AdminError):
    """The folder is no job, or a wrong one; ``problems`` are its mistakes."""

    own_code = "job/invalid"


class InvalidTarget(AdminError):
    """There is no such site, or it is away."""


class JobNotFound(AdminError):
    """There is no such job that this admin may see."""

    own_code = "job/not-found"


class JobNotDone(AdminError):
    """The job still waits or runs."""


class JobNotRunning(AdminError):
    """The job does not run. Nothing raises it here; scripts may catch it."""


class JobTimeout(AdminError):
    """The job is not over in time; it goes on."""


class NoConnection(AdminError, ConnectionError):
    """The server cannot be reached."""


class NoReply(AdminError):
    """No answer in time."""


class NoClientsAvailable(AdminError):
    """No site is connected."""

    own_code = "runtime/site-away"


class ClientsStillRunning(AdminError):
    """Sites still run. Nothing raises it here: the server waits for them."""


class SessionClosed(AdminError):
    """The session was closed by :meth:`Session.close`."""

    own_code = "runtime/session-closed"


class SessionExpired(SessionClosed):
    """A session has ended by itself. Nothing raises it here, where each command connects anew."""


class AuthenticationError(AdminError):
    """The server does not take the admin for the one whom the kit names, or the kit cannot prove it."""

    own_code = "auth/name-mismatch"

    @property
    def auth_code(self) -> str:
        """FLARE's name of ``code`` in this exception."""
        return self.code


class AuthorizationError(AdminError):
    """The admin may not do that."""


class InternalError(AdminError):
    """Something that must not happen."""


class SubmitTokenConflict(AdminError):
    """A job with other files was submitted with this token."""

    own_code = "job/id-taken"


class SubmitTokenJobDeleted(AdminError):
    """The token's job was deleted. Nothing raises it here: the token makes a new job then."""


class NotHere(AdminError, NotImplementedError):
    """FLARE has it, and it is not here; the message says what there is in its place."""

    own_code = "flare/not-here"


#: Codes of ``flare``, or beginnings of them; the longest that fits counts.
_CLASSES: Dict[str, Type[AdminError]] = {
    "auth/": AuthenticationError,
    "auth/not-authorized": AuthorizationError,
    "cli/invalid-arguments": InvalidArgumentError,
    "cli/job-not-over": JobTimeout,
    "cli/no-startup-kit": InvalidArgumentError,
    "file/not-found": InvalidArgumentError,
    "flare/no-answer": InternalError,
    "flare/timeout": NoReply,
    "internal/": InternalError,
    "job/file-missing": InvalidJobDefinition,
    "job/id-taken": SubmitTokenConflict,
    "job/invalid": InvalidJobDefinition,
    "job/manifest-invalid": InvalidJobDefinition,
    "job/not-done": JobNotDone,
    "job/not-found": JobNotFound,
    "job/not-over": JobNotDone,
    "job/not-yours": AuthorizationError,
    "job/outside-study": AuthorizationError,
    "kit/": AuthenticationError,
    "kit/not-a-folder": InvalidArgumentError,
    "kit/not-a-kit": InvalidArgumentError,
    "kit/wrong-type": InvalidArgumentError,
    "runtime/invalid-argument": InvalidArgumentError,
    "runtime/session-closed": NoConnection,
    "runtime/site-away": InvalidTarget,
    "runtime/site-silent": NoReply,
    "runtime/site-unknown": InvalidTarget,
    "study/invalid-name": InvalidArgumentError,
    "study/not-a-member": AuthorizationError,
    "study/unknown": AuthorizationError,
    "study/wrong-arguments": InvalidArgumentError,
    "transfer/disconnected": NoConnection,
    "transfer/proxy-": NoConnection,
    "transfer/server-stopping": NoConnection,
    "transfer/stalled": NoConnection,
    "transfer/unreachable": NoConnection,
}


def admin_error(error: FlareCommandError) -> AdminError:
    """FLARE's exception for what ``flare`` said."""
    fitting = [code for code in _CLASSES if error.code == code or (code.endswith(("/", "-")) and error.code.startswith(code))]
    kind = _CLASSES[max(fitting, key=len)] if fitting else CommandError
    return kind(error.message, code=error.code, hint=error.hint, problems=error.problems, facts=error.facts, exit_code=error.exit_code)
