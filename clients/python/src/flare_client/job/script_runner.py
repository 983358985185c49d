"""How a site runs a training script."""

import os
import re
import shlex
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from .arguments import Other, checked_call, idle, settle
from .component import SiteExecutor
from .errors import JobError
from .kinds import ExchangeFormat, FrameworkType, TransferType
from .secret_signs import tell_secrets, tell_secrets_of_words

#: A command or arguments: a text as a shell splits it, or a list.
Words = Union[str, Sequence[str]]

_PYTHON = re.compile(r"(.*/)?python[0-9.]*$")

#: Launchers of several processes that start a module with ``-m``, as Python does.
_LAUNCHERS = ("torchrun", "accelerate", "deepspeed")


class ScriptRunner(SiteExecutor):
    """A training script for sites, with its arguments.

    The script always has a process of its own; ``launch_external_process`` says whether ``command``, ``launch_once`` and the time-outs count,
    as with FLARE.

    :param command: what stands before the script: an interpreter with its options, or a launcher such as ``torchrun --nproc_per_node=2``
    :param env: not FLARE's: variables of the script, each a text or ``{"from_secret": "<name>"}``, a secret that the site keeps
    :raises JobError:
    """

    _others: Dict[str, Other] = {
        "server_expected_format": idle(ExchangeFormat.NUMPY, "models are always safetensors, and a script gets tensors of what it imports"),
    }

    @checked_call
    def __init__(
        self,
        script: str,
        script_args: Words = "",
        launch_external_process: bool = False,
        command: Words = "python3 -u",
        framework: FrameworkType = FrameworkType.PYTORCH,
        *,
        params_transfer_type: TransferType = TransferType.FULL,
        launch_once: bool = True,
        launch_timeout: Optional[float] = 300.0,
        shutdown_timeout: float = 0.0,
        memory_gc_rounds: int = 0,
        cuda_empty_cache: bool = False,
        execution_mode: Optional[str] = None,
        env: Optional[Mapping[str, Any]] = None,
        **others: Any,
    ):
        settle(self, others, self._others)
        if framework == FrameworkType.TENSORFLOW:
            raise JobError("TensorFlow's models have no names by which they could travel here; give arrays by name, and FrameworkType.NUMPY")
        if execution_mode not in (None, "in_process", "external_process"):
            raise JobError(f"ScriptRunner: execution_mode '{execution_mode}' is not here: write such a job's folder by hand")
        self.script = script
        self._args = _split(script_args)
        is_external = launch_external_process or execution_mode == "external_process"
        self._command = _split(command) if is_external else ["python3"]
        self._settings: Dict[str, Any] = {}
        if params_transfer_type == TransferType.DIFF:
            self._settings["params_transfer_type"] = "DIFF"
        if is_external and not launch_once:
            self._settings["launch_once"] = False
        if is_external and launch_timeout not in (None, 300.0):
            self._settings["launch_timeout"] = launch_timeout
        if is_external and shutdown_timeout > 0:
            self._settings["stop_grace_period"] = shutdown_timeout
        if memory_gc_rounds > 0:
            self._settings["memory_gc_rounds"] = memory_gc_rounds
        if cuda_empty_cache:
            self._settings["cuda_empty_cache"] = True
        if env:
            self._settings["env"] = dict(env)
        # A command that cannot be used is a mistake here, not when the job is written.
        self._launch(os.path.basename(script))
        tell_secrets_of_words(self._args, f"the arguments of {script}")
        tell_secrets_of_words(self._command, f"the command of {script}")
        tell_secrets(env, f"'env' of {script}")

    def executor(self, place: str) -> Dict[str, Any]:
        return {"path": "ClientAPIExecutor", "args": {**self._launch(place), **self._settings}}

    def _launch(self, place: str) -> Dict[str, Any]:
        words = self._command
        run = ["-m", "flare_client", "run", place, *self._args]
        if all(word == "-u" for word in words[1:]) and words[:1] in (["python3"], ["python"]):
            # The site's own interpreter, which it may have named by FLARE_PYTHON.
            return {"task_script_path": place, **({"task_script_args": self._args} if self._args else {})}
        if words and _is_interpreter(words):
            return {"command": [*words, *run]}
        if words and _is_launcher(words):
            return {"command": ["python3", "-m", "flare_client", "launch", *words, *run]}
        raise JobError(
            f"the command '{' '.join(words)}' is neither a Python with its options nor a launcher that is known: "
            f"{', '.join(_LAUNCHERS)}, or `python3 -m` one"
        )


def _is_interpreter(words: List[str]) -> bool:
    """Such as ``/opt/venv/bin/python -X dev``."""
    return _PYTHON.match(words[0]) is not None and "-m" not in words and all(_is_option(words, at) for at in range(1, len(words)))


def _is_option(words: List[str], at: int) -> bool:
    return words[at].startswith("-") or words[at - 1] in ("-X", "-W")


def _is_launcher(words: List[str]) -> bool:
    """Such as ``torchrun --nproc_per_node=2`` or ``python3 -m torch.distributed.run``."""
    if _PYTHON.match(words[0]) is not None:
        return "-m" in words[:-1]
    return os.path.basename(words[0]) in _LAUNCHERS


def _split(words: Words) -> List[str]:
    if isinstance(words, str):
        try:
            return shlex.split(words)
        except ValueError as error:
            raise JobError(f"'{words}' cannot be split into words: {error}") from error
    return [str(word) for word in words]
