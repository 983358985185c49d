"""Answers the tasks of a workflow of statistics, by what computes them."""

import json
import math
import sys
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from .. import api
from ..errors import ClientApiError
from ..fl_model import FLModel, ParamsType
from .digest import centroids_in
from .spec import DataType, Feature, SiteContext, Statistics

#: The one tensor of a model that is a document: the bytes of a JSON text.
TENSOR = "flare.statistics"

_VERSION = 1


def serve(statistics: Statistics) -> None:
    """Answers all tasks of the job; returns when it is over."""
    api.init()
    facts = api.system_info()
    context = SiteContext(str(facts["site_name"]), str(facts["job_id"]), dict(facts["datasets"] or {}))
    is_ready = False
    while api.is_running():
        model = api.receive()
        if model is None:
            break
        request = _request_in(model)
        if not is_ready:
            # Not before: loading may take long, and counts as work on the task.
            statistics.initialize(context)
            if request["pre_run"]:
                _pre_run(statistics, request)
            is_ready = True
        features = answers_of(statistics, request, lambda done, total: api.progress(done, total, "statistics"))
        document = {"version": _VERSION, "pass": request["pass"], "features": features}
        data = np.frombuffer(json.dumps(document, allow_nan=False).encode("utf-8"), dtype=np.uint8)
        # As it is: the bytes of a text have no difference to others.
        api.send(FLModel(params={TENSOR: data}, params_type=ParamsType.DIFF, meta={"NUM_STEPS_CURRENT_ROUND": 1}))
    if is_ready:
        statistics.finalize(context)


def answers_of(
    statistics: Statistics, request: Dict[str, Any], on_progress: Callable[[int, int], None] = lambda done, total: None
) -> List[Dict[str, Any]]:
    """What a site says in one pass: of each feature that is of numbers what is asked, as far as it can be told."""
    told = {(one["dataset"], one["feature"]): one for one in request.get("features", [])}
    own = [(dataset, feature) for dataset, features in statistics.features().items() for feature in features if _is_number(feature)]
    answers = []
    for done, (dataset, feature) in enumerate(own):
        name = str(feature.feature_name)
        if request["pass"] == 1:
            answers.append(_first(statistics, request, dataset, name))
        elif (dataset, name) in told:
            answers.append(_second(statistics, request, told[(dataset, name)]))
        on_progress(done + 1, len(own))
    return answers


def _first(statistics: Statistics, request: Dict[str, Any], dataset: str, name: str) -> Dict[str, Any]:
    asked = request["statistics"]
    answer = _counted(statistics, dataset, name)
    count = answer["count"]
    if any(statistic in asked for statistic in ("sum", "mean", "var", "stddev")):
        _put(answer, "sum", lambda: _sum(statistics, dataset, name, count))
    bins = _of_feature(request["histogram"], name)
    needs_range = bins is not None and bins.get("range") is None
    if count > 0 and ("min" in asked or needs_range):
        _put(answer, "min", lambda: _finite(statistics.min_value(dataset, name)))
    if count > 0 and ("max" in asked or needs_range):
        _put(answer, "max", lambda: _finite(statistics.max_value(dataset, name)))
    shares = _of_feature(request["quantile"], name)
    if shares is not None:
        _put(answer, "digest", lambda: centroids_in(statistics.quantiles(dataset, name, shares)) or None)
    return answer


def _second(statistics: Statistics, request: Dict[str, Any], told: Dict[str, Any]) -> Dict[str, Any]:
    dataset, name, asked = told["dataset"], told["feature"], request["statistics"]
    answer = _counted(statistics, dataset, name)
    mean, count = told.get("mean"), told["count"]
    if mean is not None and count > 1 and ("var" in asked or "stddev" in asked):
        _put(answer, "var", lambda: _finite(statistics.variance_with_mean(dataset, name, mean, count)))
    if "stddev" in asked and answer["count"] > 1:
        _put(answer, "stddev", lambda: _finite(statistics.stddev(dataset, name)))
    if "bins" in told:
        _put(answer, "histogram", lambda: _histogram(statistics, told))
    return answer


def _counted(statistics: Statistics, dataset: str, name: str) -> Dict[str, Any]:
    return {
        "dataset": dataset,
        "feature": name,
        "count": int(statistics.count(dataset, name)),
        "failure_count": int(statistics.failure_count(dataset, name)),
    }


def _put(answer: Dict[str, Any], key: str, compute: Callable[[], Any]) -> None:
    try:
        value = compute()
    except NotImplementedError:
        return
    if value is not None:
        answer[key] = value


def _sum(statistics: Statistics, dataset: str, name: str, count: int) -> Optional[float]:
    try:
        return _finite(statistics.sum(dataset, name))
    except NotImplementedError:
        return 0.0 if count == 0 else _finite(float(statistics.mean(dataset, name)) * count)


def _histogram(statistics: Statistics, told: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    low, high, bins = float(told["low"]), float(told["high"]), int(told["bins"])
    found = statistics.histogram(told["dataset"], told["feature"], bins, low, high).bins
    # FLARE's own adds bins of infinite values behind those that were asked.
    counts = [_plain(one.sample_count) for one in found[:bins]]
    return {"low": low, "high": high, "counts": counts} if len(counts) == bins else None


def _pre_run(statistics: Statistics, request: Dict[str, Any]) -> None:
    histogram = request["histogram"]
    bins = {name: one["bins"] for name, one in histogram.items()} if histogram else None
    ranges = {name: one.get("range") for name, one in histogram.items()} if histogram else None
    statistics.pre_run(list(request["statistics"]), bins, ranges)


def _request_in(model: FLModel) -> Dict[str, Any]:
    tensor = (model.params or {}).get(TENSOR)
    if tensor is None:
        raise ClientApiError("client-api/model-invalid", f"The task '{api.get_task_name()}' is none of statistics: its model has tensors.")
    request = json.loads(bytes(np.asarray(tensor, dtype=np.uint8)).decode("utf-8"))
    if request.get("version") != _VERSION:
        raise ClientApiError("client-api/version-mismatch", f"The server speaks version {request.get('version')} of statistics, not {_VERSION}.")
    return request


def _of_feature(configs: Dict[str, Any], name: str) -> Any:
    return configs.get(name, configs.get("*"))


def _is_number(feature: Feature) -> bool:
    return feature.data_type in (DataType.INT, DataType.FLOAT)


def _finite(value: Any) -> Optional[float]:
    number = float(value)
    return number if math.isfinite(number) else None


def _plain(count: Any) -> float:
    number = float(count)
    return int(number) if number.is_integer() else number


def generator_of(path: str, arguments: Dict[str, Any]) -> Statistics:
    """The object that a job's component stands for: ``module.Class``, made with its arguments."""
    module, found = _loaded(path)
    if not (isinstance(found, type) and issubclass(found, Statistics)):
        raise ClientApiError("client-api/script-missing", f"{path} of {module} is no class that derives from Statistics.")
    return found(**arguments)


def _loaded(path: str) -> Tuple[str, Any]:
    import importlib

    module, _, name = path.rpartition(".")
    try:
        return module, getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        print(f"flare-client: {path} cannot be loaded: {error}", file=sys.stderr)
        raise
