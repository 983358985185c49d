"""One trainer's talk with the job process that started it: models come in, results go out."""

import os
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Mapping, Optional
from urllib.parse import quote

from .bootstrap import PROTOCOL_VERSION, open_channel, read_bootstrap, version_mismatch
from .channel import LineChannel
from .errors import ClientApiError
from .fl_model import FLModel, ParamsType
from .heartbeat import INTERVAL, Heartbeat
from .result import check_count, check_metrics, check_parts, check_weight, plain_json
from .room import when_there_is_room
from .safetensors import RawTensor, read_safetensors, write_safetensors
from .scaffold import control_tensors, meta_with_controls, meta_without_controls, split_controls
from .task_kinds import evaluate_task_names, is_evaluate
from .tensors import difference, raw_tensors, to_own

#: Seconds in which it is heard why a model is gone.
_CANCEL_SECONDS = 10.0

#: Name and version that this client gives in ``hello``.
CLIENT_NAME = "flare-client/0.1.0 (Python)"


class ClientSession:
    """A session of a trainer. A thread of its own listens, so that a task that is no longer wanted is dropped at once."""

    def __init__(self, channel: LineChannel, default_weight: Optional[float] = None):
        self._channel = channel
        self._default_weight = default_weight
        self._changed = threading.Condition()
        self._welcome: Optional[Dict[str, Any]] = None
        self._tasks: List[Dict[str, Any]] = []
        self._current: Optional[Dict[str, Any]] = None
        self._reply: Optional[Dict[str, Any]] = None
        self._is_over = False
        self._is_stopped = False
        #: The task being answered is no longer wanted.
        self._is_cancelled = False
        #: Tensors of the model of that task, whose file may go before the script asks for them.
        self._received: Mapping[str, RawTensor] = {}
        #: This process was forked off from the one whose session it is.
        self._is_forked = False
        self._failure: Optional[ClientApiError] = None
        self._heartbeat = Heartbeat(lambda moved: self._channel.send({"type": "heartbeat", "moved": moved}))

    @staticmethod
    def open(
        environment: Mapping[str, str] = os.environ, default_weight: Optional[float] = None, stack_signal: Optional[str] = None
    ) -> "ClientSession":
        """Opens the session of the trainer that this process is.

        :param stack_signal: signal upon which the process writes its stacks to its output.
        """
        bootstrap = read_bootstrap(environment)
        session = ClientSession(LineChannel(open_channel(bootstrap["channel"])), default_weight)
        session.greet(stack_signal)
        return session

    def greet(self, stack_signal: Optional[str] = None) -> None:
        """Says hello and waits for the answer."""
        threading.Thread(target=self._listen, name="flare-client", daemon=True).start()
        hello: Dict[str, Any] = {"type": "hello", "protocol_version": PROTOCOL_VERSION, "client": CLIENT_NAME, "heartbeats": True}
        if stack_signal is not None:
            hello["stack_signal"] = stack_signal
        self._channel.send(hello)
        self._wait(lambda: self._welcome is not None, None)
        if self._failure is not None:
            raise self._failure
        if self._welcome is None:
            raise _disconnected()
        if self._welcome.get("protocol_version") != PROTOCOL_VERSION:
            raise version_mismatch(self._welcome.get("protocol_version"))
        self._heartbeat.start(float(self._welcome.get("heartbeat_seconds", INTERVAL)))

    @property
    def welcome(self) -> Dict[str, Any]:
        """What the job process has said of job and site."""
        if self._welcome is None:
            raise ClientApiError("client-api/not-initialised", "The session is not open yet.")
        return self._welcome

    def next_task(self, timeout: Optional[float] = None) -> Optional[Dict[str, Any]]:
        """The task to answer; ``None`` when the job is over, or when none came in time."""
        self._require_own()
        self._heartbeat.follow_this_thread()
        while self._current is None:
            # Waited for and taken in one: in between it could be cancelled, which is not the end of the job.
            with self._changed:
                self._wait(lambda: bool(self._tasks), timeout)
                if self._failure is not None:
                    raise self._failure
                if self._is_stopped or not self._tasks:
                    break
                self._current = self._tasks.pop(0)
                self._is_cancelled = False
            self._open_model(self._current)
        return None if self._is_stopped else self._current

    def read_model(self, task: Mapping[str, Any]) -> FLModel:
        """The model of the task being answered, as tensors of the script's own."""
        return model_of(task, self._received)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self._is_stopped or self._is_over

    @property
    def current(self) -> Optional[Dict[str, Any]]:
        """The task being answered."""
        return self._current

    def send(self, model: FLModel) -> None:
        """Answers the task. Returns when the site holds the result durably, or when it is no longer wanted."""
        self._require_own()
        task = self._current
        if task is None:
            raise ClientApiError("client-api/no-task", "send() was called without a model to answer.")
        check_parts(model)
        is_evaluation = is_evaluate(task, self.welcome)
        weight = check_weight(model, self._default_weight, is_evaluation)
        metrics = check_metrics(model)
        meta = plain_json(meta_without_controls(model.meta))
        tensors, params_type = self._evaluation(model) if is_evaluation else self._transferable(model)
        # A trainer that outlived its job process must not write into the file of the one that took its place.
        name = f"{quote(task['task_id'], safe='')}.{os.getpid()}.safetensors"
        path = os.path.join(self.welcome["result_folder"], name)

        def write() -> None:
            write_safetensors(f"{path}.part", tensors.items())
            os.replace(f"{path}.part", path)

        when_there_is_room(write)
        message = {
            "type": "result",
            "task_id": task["task_id"],
            "path": path,
            "params_type": params_type.value,
            "weight": weight,
            "metrics": metrics,
            "meta": meta,
        }
        self._reply = None
        if self._is_stopped:
            self._current = None
            return
        self._channel.send(message)
        self._take_reply()

    def log(self, key: str, value: float, step: Optional[int]) -> None:
        """Shows a metric while training goes on."""
        message: Dict[str, Any] = {"type": "log", "key": key, "value": value}
        if self._current is not None:
            message["round"] = self._current["current_round"]
        if step is not None:
            message["step"] = step
        if not self.is_over:
            self._channel.send(message)

    def progress(self, done: Optional[float], total: Optional[float], note: Optional[str]) -> None:
        """Says that the script moves."""
        message: Dict[str, Any] = {"type": "progress"}
        for name, value in (("done", done), ("total", total)):
            if value is not None:
                message[name] = check_count(name, value)
        if note is not None:
            message["note"] = str(note)
        if not self.is_over:
            self._channel.send(message)

    def continue_in_fork(self) -> None:
        """In a process that was forked off: the channel is that of the other one. This one may say things, and ends nothing."""
        self._is_forked = True
        self._changed = threading.Condition()
        self._channel.renew_lock()

    def shutdown(self) -> None:
        """Leaves the session; the job process takes the trainer for done."""
        if self._is_forked:
            return
        self._heartbeat.stop()
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._channel.close()

    def _take_reply(self) -> None:
        self._wait(lambda: self._reply is not None, None)
        if self._failure is not None:
            raise self._failure
        reply, self._reply = self._reply, None
        if reply is None and not self._is_stopped:
            raise _disconnected()
        if reply is not None and reply["type"] == "result_refused":
            error = reply.get("error") or {}
            raise ClientApiError(str(error.get("code", "client-api/result-invalid")), str(error.get("message", "The result was refused.")))
        self._current = None
        self._received = {}

    def _require_own(self) -> None:
        if self._is_forked:
            raise ClientApiError(
                "client-api/no-task",
                "This process was forked off from the one that called init(): only that one is given models and answers them.",
            )

    def _open_model(self, task: Mapping[str, Any]) -> None:
        try:
            self._received = read_safetensors(task["model_path"])
        except FileNotFoundError:
            # The site removes the model of a task that it cancels, and its word on that comes after.
            self._wait(lambda: self._is_cancelled, _CANCEL_SECONDS)
            self._current = None
            if not (self._is_cancelled or self.is_over):
                raise

    def _evaluation(self, model: FLModel) -> "tuple[Dict[str, RawTensor], ParamsType]":
        if not model.metrics:
            raise ClientApiError("client-api/result-invalid", f"The answer to the evaluation '{self._task_name}' has no metrics.")
        if model.params:
            print(f"flare-client: '{self._task_name}' is an evaluation: its metrics are sent, and its params are not", file=sys.stderr)
        return {}, ParamsType.FULL

    def _transferable(self, model: FLModel) -> "tuple[Dict[str, RawTensor], ParamsType]":
        tensors = raw_tensors(model.params or {})
        if not tensors:
            names = ", ".join(evaluate_task_names(self.welcome))
            raise ClientApiError(
                "client-api/result-invalid",
                f"The answer to the task '{self._task_name}' has no tensor in its params; metrics alone answer an evaluation ({names}).",
            )
        params_type = model.params_type or ParamsType.FULL
        if params_type == ParamsType.FULL and self.welcome["params_transfer_type"] == "DIFF":
            params_type = ParamsType.DIFF
            tensors = {name: difference(name, tensor, self._received) for name, tensor in tensors.items()}
        return {**tensors, **control_tensors(model.meta, self._received, params_type)}, params_type

    @property
    def _task_name(self) -> str:
        return "" if self._current is None else str(self._current["task_name"])

    def _listen(self) -> None:
        failure: Optional[ClientApiError] = None
        try:
            while True:
                message = self._channel.receive()
                if message is None:
                    break
                with self._changed:
                    self._take(message)
                    self._changed.notify_all()
        except ClientApiError as error:
            failure = error
        except (KeyError, TypeError, ValueError, OSError):
            failure = None if self._is_stopped else self._channel.violated("A message has a missing or wrong field.")
        with self._changed:
            self._failure = self._failure or failure
            self._is_over = True
            self._changed.notify_all()

    def _take(self, message: Dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "welcome":
            _require(message, job_id=str, site_name=str, params_transfer_type=str, train_task_names=list, datasets=dict, result_folder=str)
            self._welcome = message
        elif kind == "task":
            _require(message, task_id=str, task_name=str, model_path=str, current_round=int, start_round=int, total_rounds=int, meta=dict)
            self._tasks.append(message)
        elif kind == "cancel":
            self._tasks = [task for task in self._tasks if task["task_id"] != message["task_id"]]
            if self._current is not None and self._current["task_id"] == message["task_id"]:
                self._is_cancelled = True
        elif kind in ("result_ack", "result_refused"):
            if self._current is not None and message["task_id"] == self._current["task_id"]:
                self._reply = message
        elif kind == "stop":
            self._is_stopped = True
        elif kind == "error":
            error = message["error"]
            self._failure = ClientApiError(str(error["code"]), str(error["message"]))

    def _wait(self, is_there: Callable[[], bool], timeout: Optional[float]) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not (is_there() or self._is_over or self._is_stopped or self._failure is not None):
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return
                self._changed.wait(left)


def model_of(task: Mapping[str, Any], raw: Mapping[str, RawTensor]) -> FLModel:
    """The model of a task, as tensors of the script's own; control variates of SCAFFOLD are in its meta."""
    own, controls = split_controls(raw)
    return FLModel(
        params_type=ParamsType.FULL,
        params={name: to_own(tensor) for name, tensor in own.items()},
        start_round=task["start_round"],
        current_round=task["current_round"],
        total_rounds=task["total_rounds"],
        meta=meta_with_controls(task["meta"], controls),
    )


def _require(message: Mapping[str, Any], **kinds: type) -> None:
    for key, kind in kinds.items():
        if not isinstance(message.get(key), kind):
            raise KeyError(key)


def _disconnected() -> ClientApiError:
    return ClientApiError("client-api/disconnected", "The job process has closed the channel.")
