"""The executor of a site as a job's configuration has it, for what a :class:`ScriptRunner` does not say."""

from typing import Any, Dict

from .arguments import Other, idle, settle
from .component import SiteExecutor

_FORMAT = "models are always safetensors, and a script gets tensors of what it imports"
_STALL = "'stall_timeout' says for how long a trainer may not move"

#: Arguments that are written as they are given; ``flare`` checks them. The last three are not FLARE's.
_WRITTEN = (
    "task_script_path",
    "task_script_args",
    "command",
    "launch_once",
    "launch_timeout",
    "stop_grace_period",
    "train_task_name",
    "evaluate_task_name",
    "submit_model_task_name",
    "params_transfer_type",
    "memory_gc_rounds",
    "cuda_empty_cache",
    "attach_id",
    "attach_timeout",
    "allow_reconnect",
    "env",
    "max_restarts",
    "stall_timeout",
)


class ClientAPIExecutor(SiteExecutor):
    """``ClientAPIExecutor`` of ``config_fed_client.json``: ``execution_mode="attach"`` waits for a trainer that somebody starts by hand.

    A ``task_script_path`` is in ``custom``; the script itself is given to the site by its path.
    """

    _others: Dict[str, Other] = {
        "params_exchange_format": idle(None, _FORMAT),
        "server_expected_format": idle("numpy", _FORMAT),
        "heartbeat_interval": idle(5.0, _STALL),
        "heartbeat_timeout": idle(30.0, _STALL),
        "task_wait_timeout": idle(None, "a trainer waits for the next task for as long as the job runs"),
        "result_wait_timeout": idle(None, _STALL),
        "shutdown_timeout": idle(None, "give 'stop_grace_period'"),
        "train_with_evaluation": idle(False, "metrics are taken whenever a script sends some"),
    }

    def __init__(self, execution_mode: str = "in_process", **arguments: Any):
        written = {name: arguments.pop(name) for name in _WRITTEN if name in arguments}
        settle(self, arguments, {**self._others, **{name: idle(None, "") for name in _WRITTEN}})
        # A script always has a process of its own here.
        mode = {} if execution_mode in ("in_process", "external_process") else {"execution_mode": execution_mode}
        self._arguments = {**mode, **{name: value for name, value in written.items() if value is not None}}

    def executor(self, place: str) -> Dict[str, Any]:
        del place
        return {"path": "ClientAPIExecutor", "args": self._arguments}
