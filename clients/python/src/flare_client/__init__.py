"""Client API of FLARE-TS for training scripts, with the names and meanings of NVIDIA FLARE's.

A script asks for models and answers each with a result::

    import flare_client as flare

    flare.init()
    while flare.is_running():
        model = flare.receive()
        params, steps = train(model.params)
        flare.send(flare.FLModel(params=params, meta={"NUM_STEPS_CURRENT_ROUND": steps}))
"""

from .analytics import AnalyticsDataType
from .api import (
    clear,
    get_config,
    get_job_id,
    get_site_name,
    get_task_name,
    init,
    is_evaluate,
    is_running,
    is_submit_model,
    is_train,
    log,
    progress,
    receive,
    send,
    shutdown,
    system_info,
)
from .decorators import evaluate, train
from .errors import ClientApiError
from .fl_model import FLModel, ParamsType

__version__ = "0.1.0"

__all__ = [
    "AnalyticsDataType",
    "ClientApiError",
    "FLModel",
    "ParamsType",
    "clear",
    "evaluate",
    "get_config",
    "get_job_id",
    "get_site_name",
    "get_task_name",
    "init",
    "is_evaluate",
    "is_running",
    "is_submit_model",
    "is_train",
    "log",
    "progress",
    "receive",
    "send",
    "shutdown",
    "system_info",
    "train",
]
