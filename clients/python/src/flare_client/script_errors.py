"""What a script that defines a job is told in a line, where a stack trace would show nothing but our own code."""

import os
import sys
import traceback
from typing import Optional, Tuple

_OWN = os.path.dirname(os.path.abspath(__file__))


def told_error(error: BaseException) -> Optional[Tuple[str, int]]:
    """The line for an error of ours about a job or a name of FLARE's, with the place in the script, and the exit status.

    ``None`` for all other errors.
    """
    # Not imported for the question: scripts that train have nothing to do with them.
    job, command = (sys.modules.get(f"flare_client.{name}") for name in ("job.errors", "flare_command"))
    if command is not None and isinstance(error, command.FlareCommandError):
        return f"{_place(error)}{error}", error.exit_code
    if job is not None and isinstance(error, job.JobError):
        return f"{_place(error)}{error}", 1
    if isinstance(error, ImportError) and (error.name or "").split(".")[0] == "nvflare":
        return f"{_place(error)}{error}", 1
    return None


def _place(error: BaseException) -> str:
    """The last line of the author's own code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith((_OWN, "<")) and os.path.basename(frame.filename) != "runpy.py"]
    return f"{os.path.relpath(own[-1].filename)}:{own[-1].lineno}: " if own else ""
