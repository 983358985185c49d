"""Runs a job on this machine with ``flare simulator``."""

from typing import Any, Mapping, Optional, Sequence

from .flare_command import run_flare
from .flare_progress import Progress


def simulate(
    job_folder: str,
    workspace: str,
    *,
    count: Optional[int] = None,
    names: Optional[Sequence[str]] = None,
    threads: Optional[int] = None,
    gpus: Optional[str] = None,
    log_config: Optional[str] = None,
    datasets: Optional[Mapping[str, str]] = None,
) -> Any:
    """Runs a job to its end, showing its rounds; gives what the command says of it: ``job_id``, ``status``, ``workspace``, ``result``.

    :param count: of sites, where they have no names
    :param datasets: that sites offer, name to path
    :raises FlareCommandError: also when the job is not completed
    """
    arguments = ["simulator", job_folder, "-w", workspace, "--stop-with-input"]
    if names is not None:
        arguments += ["-c", ",".join(names)]
    elif count is not None:
        arguments += ["-n", str(count)]
    for flag, value in (("-t", threads), ("--gpu", gpus), ("-l", log_config)):
        if value is not None:
            arguments += [flag, str(value)]
    for name, path in (datasets or {}).items():
        arguments += ["--dataset", f"{name}={path}"]
    return run_flare(*arguments, on_event=Progress(), ends_with_us=True)
