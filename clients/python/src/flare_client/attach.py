"""How a trainer that is started by hand finds its job: by a profile in a folder of the site's."""

import json
import os
import socket
import time
from typing import Any, Dict, List, Mapping, Optional

from .errors import ClientApiError

#: Environment variables: the folder, and the name of the job in it.
FOLDER_VARIABLE = "FLARE_ATTACH_FOLDER"
ID_VARIABLE = "FLARE_ATTACH_ID"

_LOOK_SECONDS = 0.2


def find_profile(folder: str, attach_id: Optional[str], wait: Optional[float]) -> str:
    """Path of the profile of a job that waits for a trainer.

    :param attach_id: which job; ``None``: the only one.
    :param wait: seconds; ``None``: for as long as it takes.
    """
    end = None if wait is None else time.monotonic() + wait
    while True:
        _require_own(folder)
        found = [path for path in _profiles(folder, attach_id) if _listens(path)]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            names = ", ".join(sorted(os.path.basename(path)[: -len(".json")] for path in found))
            raise ClientApiError("client-api/attach-refused", f"Several jobs in {folder} wait for a trainer: {names}. Say which one by its id.")
        if end is not None and time.monotonic() >= end:
            what = "any job" if attach_id is None else f"a job as '{attach_id}'"
            raise ClientApiError("client-api/attach-refused", f"{folder} has no profile of {what} that waits for a trainer.")
        time.sleep(_LOOK_SECONDS)


def profile_of(environment: Mapping[str, str]) -> Optional[str]:
    """The profile that the environment leads to, waited for; ``None`` when it names no folder."""
    folder = environment.get(FOLDER_VARIABLE)
    return None if not folder else find_profile(folder, environment.get(ID_VARIABLE) or None, None)


def _require_own(folder: str) -> None:
    try:
        owner = os.stat(folder).st_uid
    except FileNotFoundError:
        # The site makes it when the first job waits.
        return
    if owner != os.getuid():
        raise ClientApiError("client-api/attach-refused", f"{folder} belongs to another user; start the trainer as the user of the site.")


def _profiles(folder: str, attach_id: Optional[str]) -> List[str]:
    if attach_id is not None:
        return [os.path.join(folder, f"{attach_id}.json")]
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".json")]
    except FileNotFoundError:
        return []


def _listens(path: str) -> bool:
    profile: Dict[str, Any]
    try:
        with open(path, encoding="utf-8") as file:
            profile = json.load(file)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            # Who says nothing takes nobody's place.
            probe.connect(str(profile["channel"])[len("unix:") :])
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
