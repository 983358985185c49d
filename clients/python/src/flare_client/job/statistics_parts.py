"""What a job of federated statistics is put together from, with FLARE's names and arguments; ``docs/statistics.md`` says what each does."""

import json
import os
from typing import Any, Dict, Mapping, Optional, Sequence, Union

from .arguments import Other, checked_call, idle, settle
from .component import ResultFilter, SiteExecutor, Workflow, WrittenComponent
from .errors import JobError

_WAITING = "each site that still can answer is waited for, or until 'timeout'"


class StatisticsController(Workflow):
    """Asks sites for statistics; ``timeout`` is not FLARE's.

    :param statistic_configs: what is asked, by the names of the statistics
    :param writer_id: of the :class:`JsonStatsFileWriter` that says where the result goes
    :param min_clients: sites that must answer; all by default
    """

    path = "StatisticsController"
    default_id = "statistics"
    needs_model = False
    _others: Mapping[str, Other] = {
        "wait_time_after_min_received": idle(1, _WAITING),
        "result_wait_timeout": idle(10, _WAITING),
    }

    @checked_call
    def __init__(
        self,
        statistic_configs: Mapping[str, Any],
        writer_id: Optional[str] = None,
        *,
        precision: int = 4,
        min_clients: Optional[int] = None,
        enable_pre_run_task: bool = True,
        timeout: Optional[float] = None,
        **others: Any,
    ):
        settle(self, others, self._others)
        super().__init__(
            statistic_configs=dict(statistic_configs),
            writer_id=writer_id,
            precision=None if precision == 4 else precision,
            min_clients=min_clients,
            enable_pre_run_task=None if enable_pre_run_task else False,
            timeout=timeout,
        )


class HierarchicalStatisticsController(StatisticsController):
    """The same, with sites in levels, each of which is rolled up.

    :param hierarchy_config: a JSON file that is on this machine, which goes along, or what would be in one: the name of the first level with
        a list of sites, or of groups with a ``Name`` and the list of the next level
    :raises JobError: for a file that cannot be read
    """

    path = "HierarchicalStatisticsController"

    @checked_call
    def __init__(
        self,
        statistic_configs: Mapping[str, Any],
        writer_id: Optional[str] = None,
        *,
        hierarchy_config: Union[str, Mapping[str, Any]],
        **others: Any,
    ):
        super().__init__(statistic_configs, writer_id, **others)
        if isinstance(hierarchy_config, str):
            name, self._hierarchy = os.path.basename(hierarchy_config), _hierarchy_in(hierarchy_config)
        else:
            name, self._hierarchy = "hierarchy_config.json", hierarchy_config
        self.arguments["hierarchy_config"] = name

    def config_files(self) -> Mapping[str, Any]:
        return {self.arguments["hierarchy_config"]: self._hierarchy}


def _hierarchy_in(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise JobError(f"the hierarchy {path} cannot be read: {error}") from error


class JsonStatsFileWriter(WrittenComponent):
    """Where the result goes: a path below the job's result, such as ``statistics/adults.json``."""

    path = "JsonStatsFileWriter"
    default_id = "stats_writer"
    is_for_server = True

    @checked_call
    def __init__(self, output_path: str, json_encoder_path: str = ""):
        # FLARE's own encoder, which the result needs there.
        del json_encoder_path
        super().__init__(output_path=output_path)


class StatisticsExecutor(SiteExecutor):
    """Answers the tasks by the component that is named. All arguments but the first are not FLARE's."""

    _others: Mapping[str, Other] = {"precision": idle(4, "numbers are rounded once, in the result, by the workflow's 'precision'")}

    @checked_call
    def __init__(
        self,
        generator_id: str,
        *,
        launch_timeout: Optional[float] = None,
        stall_timeout: Optional[float] = None,
        stop_grace_period: Optional[float] = None,
        max_restarts: Optional[int] = None,
        **others: Any,
    ):
        settle(self, others, self._others)
        given = {
            "generator_id": generator_id,
            "launch_timeout": launch_timeout,
            "stall_timeout": stall_timeout,
            "stop_grace_period": stop_grace_period,
            "max_restarts": max_restarts,
        }
        self._arguments = {name: value for name, value in given.items() if value is not None}

    def executor(self, place: str) -> Dict[str, Any]:
        del place
        return {"path": "StatisticsExecutor", "args": self._arguments}


class MinCountCleanser(WrittenComponent):
    """Keeps a feature back of which fewer values count."""

    path = "MinCountCleanser"

    @checked_call
    def __init__(self, min_count: float):
        super().__init__(min_count=min_count)


class AddNoiseToMinMax(WrittenComponent):
    """Moves the least and the largest value outwards."""

    path = "AddNoiseToMinMax"

    @checked_call
    def __init__(self, min_noise_level: float, max_noise_level: float):
        super().__init__(min_noise_level=min_noise_level, max_noise_level=max_noise_level)


class HistogramBinsCleanser(WrittenComponent):
    """Keeps a histogram back whose bins are too many for its values."""

    path = "HistogramBinsCleanser"

    @checked_call
    def __init__(self, max_bins_percent: float):
        super().__init__(max_bins_percent=max_bins_percent)


class StatisticsPrivacyFilter(ResultFilter):
    """Lets cleansers among the site's components work on what it sends."""

    path = "StatisticsPrivacyFilter"

    @checked_call
    def __init__(self, result_cleanser_ids: Sequence[str]):
        super().__init__(result_cleanser_ids=list(result_cleanser_ids))
