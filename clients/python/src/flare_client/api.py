"""FLARE's Client API: functions of one session for the process."""

import atexit
import gc
import os
import sys
from typing import Any, Dict, Mapping, Optional

from . import task_kinds
from .analytics import WORDS
from .bootstrap import read_bootstrap
from .errors import ClientApiError
from .fl_model import FLModel
from .ranks import is_shared, rank_of, share
from .result import check_metrics, is_metric, is_number
from .safetensors import read_safetensors
from .session import ClientSession, model_of
from .stacks import write_stacks_when_asked


class _Process:
    """The session of this process, its rank, and the task that it answers."""

    def __init__(self) -> None:
        self.session: Optional[ClientSession] = None
        self.rank = 0
        self.facts: Optional[Dict[str, Any]] = None
        self.task: Optional[Dict[str, Any]] = None
        self.model: Optional[FLModel] = None
        #: Metrics that answer an evaluation, when the script sends no others.
        self.evaluation: Optional[Mapping[str, Any]] = None
        self.default_weight: Optional[float] = None
        self.sent = 0


_process = _Process()


def use_default_weight(weight: Optional[float]) -> None:
    """What a result without ``NUM_STEPS_CURRENT_ROUND`` counts as; to be set before ``init``."""
    _process.default_weight = weight


def init(rank: Optional[str] = None, config_file: Optional[str] = None) -> None:
    """Opens the session. Calling it again does nothing.

    :param rank: of this process among those of the trainer. The default is ``RANK`` of the environment, else 0.
    :param config_file: FLARE's; not needed here.
    """
    del config_file
    if _process.facts is not None:
        return
    _process.rank = rank_of(rank)
    stack_signal = write_stacks_when_asked()
    if _process.rank == 0:
        _process.session = ClientSession.open(default_weight=_process.default_weight, stack_signal=stack_signal)
        atexit.register(shutdown)
        os.register_at_fork(after_in_child=_continue_in_fork)
        _process.facts = _process.session.welcome
    else:
        # The file that starts a trainer is the same for all of its processes; the rest comes with the first model.
        _process.facts = read_bootstrap(os.environ)


def is_running() -> bool:
    """Waits for the next model: ``True`` when there is one to answer, ``False`` when the job is over."""
    send_evaluation()
    return _next_task(None) is not None


def receive(timeout: Optional[float] = None) -> Optional[FLModel]:
    """The model to train, as tensors of the script's own; ``None`` when the job is over or none came in time.

    Until it is answered with :func:`send`, the same model comes again.
    """
    send_evaluation()
    return current_model(timeout)


def current_model(timeout: Optional[float] = None) -> Optional[FLModel]:
    """The same, for functions that may be one of several which work on a model."""
    task = _next_task(timeout)
    if task is None:
        return None
    if _process.model is None:
        session = _process.session
        # Other ranks than that which has the session read for themselves.
        _process.model = model_of(task, read_safetensors(task["model_path"])) if session is None else session.read_model(task)
    return _process.model


def send(model: FLModel, clear_cache: bool = True) -> None:
    """Answers the task; returns when the site holds the result durably, or when it is no longer wanted.

    An evaluation is answered with ``metrics`` alone, any other task with ``params``.

    :param clear_cache: ``False`` keeps the received model for another look until the next one comes.
    """
    session = _opened()
    _process.evaluation = None
    if session is not None:
        session.send(model)
    _process.task = None
    if clear_cache:
        _process.model = None
    _process.sent += 1
    _tidy(_facts(), _process.sent)


def keep_evaluation(metrics: Mapping[str, Any]) -> None:
    """Has an evaluation answered with these metrics, unless the script sends others before it asks for the next model."""
    _process.evaluation = metrics if is_evaluate() else None


def send_evaluation() -> Optional[FLModel]:
    """Sends the metrics that were kept for the open evaluation, and gives the answer; ``None`` where there are none."""
    if _process.evaluation is None:
        return None
    answer = FLModel(metrics=_process.evaluation)
    send(answer)
    return answer


def progress(done: Optional[float] = None, total: Optional[float] = None, note: Optional[str] = None) -> None:
    """Says that the script moves: for loops that stay in one call for longer than the site's stall time.

    From the first call for a model on, only this, :func:`log` and :func:`send` count as progress of the model, so that a loop which
    hangs is found even while it keeps a processor busy. Cheap enough for every step.

    :param done: steps that are done; for people.
    :param total: steps in all.
    :param note: what is being done.
    """
    session = _opened()
    if session is not None:
        session.progress(done, total, note)


def log(key: str, value: Any, data_type: Any = None, **kwargs: Any) -> None:
    """Shows a metric while training goes on. ``global_step`` names its round or step.

    What no metric can be, such as a loss that is NaN or the text of a parameter, is written to the trainer's own output and ends nothing.
    """
    may_be_words = getattr(data_type, "value", data_type) in WORDS
    session = _opened()
    if session is None:
        return
    metrics = value if isinstance(value, dict) else {key: value}
    names = {name if len(metrics) == 1 and name == key else f"{key}/{name}": number for name, number in metrics.items()}
    given = kwargs.get("global_step")
    step = int(given) if is_metric(given) else None
    unshown = {name: shown for name, shown in names.items() if not is_metric(shown) and (may_be_words or is_number(shown))}
    for name, shown in unshown.items():
        print(f"flare-client: {name} = {shown}", flush=True)
    for name, number in check_metrics(FLModel(metrics={name: names[name] for name in names if name not in unshown})).items():
        session.log(name, number, step)


def system_info() -> Dict[str, Any]:
    """``job_id``, ``site_name``, ``job_name``, ``datasets``: the data sets that the site offers, name to path; and ``state_folder``.

    That folder is for what the script needs when it is started anew: it stays for as long as the job is at the site, and nobody else looks into
    it. ``None`` at a site with an earlier release.
    """
    facts = _facts()
    return {key: facts.get(key) for key in ("job_id", "site_name", "job_name", "datasets", "state_folder")}


def get_job_id() -> str:
    """Which job."""
    return str(_facts()["job_id"])


def get_site_name() -> str:
    """Which site."""
    return str(_facts()["site_name"])


def get_config() -> Dict[str, Any]:
    """What the job process has said of the exchange."""
    return dict(_facts())


def get_task_name() -> str:
    """Name of the task being answered, such as ``train``."""
    if _process.task is None:
        raise ClientApiError("client-api/no-task", "No task is being answered; call receive() first.")
    return str(_process.task["task_name"])


def is_train() -> bool:
    """Whether the task being answered is training."""
    return _process.task is not None and task_kinds.is_train(_process.task, _facts())


def is_evaluate() -> bool:
    """Whether the task being answered is evaluation alone: it is answered with metrics."""
    return _process.task is not None and task_kinds.is_evaluate(_process.task, _facts())


def is_submit_model() -> bool:
    """Whether the task being answered asks for the site's own best model."""
    return _process.task is not None and task_kinds.is_submit_model(_process.task, _facts())


def open_task() -> Optional[Dict[str, Any]]:
    """The task being answered as the job process has sent it, for parts of this package; ``None`` where there is none."""
    return _process.task


def is_speaker() -> bool:
    """Whether this is the process of a trainer that speaks with the job process."""
    return _process.session is not None


def clear() -> None:
    """Forgets the received model."""
    _process.model = None


def shutdown() -> None:
    """Leaves the session; the job process takes the trainer for done."""
    session, _process.session = _process.session, None
    if session is not None:
        session.shutdown()
    _process.facts = _process.task = _process.model = _process.evaluation = None


def _continue_in_fork() -> None:
    if _process.session is not None:
        _process.session.continue_in_fork()


def _tidy(facts: Dict[str, Any], sent: int) -> None:
    rounds = facts.get("memory_gc_rounds", 0)
    if not rounds or sent % rounds != 0:
        return
    gc.collect()
    torch = sys.modules.get("torch")
    if facts.get("cuda_empty_cache") and torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _next_task(timeout: Optional[float]) -> Optional[Dict[str, Any]]:
    session = _opened()
    # What rank 0 alone hears, such as the end of the job, waits until all ranks ask for the next model: the others would not be there.
    if _process.task is not None and (session is None or is_shared() or not session.is_over):
        return _process.task
    answer = share((session.next_task(timeout), session.welcome) if session is not None else None, _process.rank)
    task, _process.facts = answer
    if task is not _process.task:
        _process.model = None
    _process.task = task
    return task


def _opened() -> Optional[ClientSession]:
    _facts()
    return _process.session


def _facts() -> Dict[str, Any]:
    if _process.facts is None:
        raise ClientApiError("client-api/not-initialised", "Call init() first.")
    return _process.facts
