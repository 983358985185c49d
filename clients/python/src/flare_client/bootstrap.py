"""What the job process tells a trainer before it starts it."""

import json
import os
import re
import socket
from typing import Any, Dict, Mapping

from .attach import profile_of
from .errors import ClientApiError

#: Version of the protocol between job process and trainer; ``docs/client-api-protocol.md`` is its text.
PROTOCOL_VERSION = 1

#: Environment variable that holds the path of the bootstrap file.
VARIABLE = "FLARE_CLIENT_API_BOOTSTRAP"

#: The same for what a launcher starts, which has a bootstrap file of the launcher's: by either, a site knows its trainers' processes.
LAUNCHER_VARIABLE = "FLARE_CLIENT_API_LAUNCHER_BOOTSTRAP"


def read_bootstrap(environment: Mapping[str, str]) -> Dict[str, Any]:
    """Reads the file that ``FLARE_CLIENT_API_BOOTSTRAP`` names, else the profile of a job that waits for a trainer."""
    path = environment.get(VARIABLE) or profile_of(environment)
    if not path:
        raise ClientApiError(
            "client-api/no-bootstrap", f"The environment variable {VARIABLE} is not set: a site's job process starts trainers with it."
        )
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError) as error:
        raise ClientApiError("client-api/bootstrap-invalid", f"{path} cannot be read as JSON: {error}.") from error
    version = value.get("protocol_version") if isinstance(value, dict) else None
    if version != PROTOCOL_VERSION:
        raise version_mismatch(version)
    if not all(isinstance(value.get(key), str) for key in ("channel", "job_id", "site_name")):
        raise ClientApiError("client-api/bootstrap-invalid", f"{path} lacks channel, job_id or site_name.")
    return value


def open_channel(channel: str) -> socket.socket:
    """The socket that ``fd:<n>`` or ``unix:<path>`` stands for."""
    descriptor = re.fullmatch(r"fd:([0-9]{1,4})", channel)
    try:
        if descriptor is not None:
            number = int(descriptor.group(1))
            opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=number)
            # Programs that the script starts must not hold the channel open.
            os.set_inheritable(number, False)
            return opened
        if channel.startswith("unix:"):
            opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            opened.connect(channel[len("unix:") :])
            return opened
    except OSError as error:
        raise ClientApiError("client-api/bootstrap-invalid", f"The channel {channel} cannot be opened: {error}.") from error
    raise ClientApiError("client-api/bootstrap-invalid", f"The channel {channel} is of a kind that this client does not know.")


def version_mismatch(theirs: Any) -> ClientApiError:
    """The error for a peer of another protocol version."""
    return ClientApiError(
        "client-api/version-mismatch", f"The other side speaks version {theirs}, this one version {PROTOCOL_VERSION}."
    )
