"""The command ``flare`` as one admin gives it."""

import os
from typing import Any, Callable, Dict, List, Mapping, Optional

from .flare_command import run_flare


class AdminCommands:
    """Commands with an admin's startup kit.

    :param kit: folder of the kit
    :param study: the study to work in; FLARE's ``default`` is none
    :param flags: more flags for each command
    """

    def __init__(self, kit: str, *, study: str, flags: Optional[List[str]] = None):
        self._variables: Mapping[str, str] = {"FLARE_STARTUP_KIT_DIR": os.path.abspath(kit)}
        self._flags = list(flags or [])
        self._study = [] if study in ("", "default") else ["--study", study]

    def run(self, *arguments: str, on_event: Optional[Callable[[Dict[str, Any]], None]] = None, timeout: Optional[float] = None) -> Any:
        """Gives a command in the study, and comes back with ``data`` of its answer; for the arguments see :func:`run_flare`.

        :raises FlareCommandError:
        """
        # What commands about studies change is one of them, and they are given in none.
        study = [] if arguments[0] == "study" else self._study
        return run_flare(*arguments, *self._flags, *study, on_event=on_event, variables=self._variables, timeout=timeout)
