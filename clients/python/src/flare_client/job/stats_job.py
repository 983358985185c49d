"""FLARE's job of federated statistics."""

from typing import Any, Mapping, Optional, Sequence, Union

from ..statistics.spec import Statistics
from .arguments import checked_call
from .errors import JobError
from .fed_job import FedJob
from .kinds import FilterType
from .statistics_parts import (
    AddNoiseToMinMax,
    HierarchicalStatisticsController,
    HistogramBinsCleanser,
    JsonStatsFileWriter,
    MinCountCleanser,
    StatisticsController,
    StatisticsExecutor,
    StatisticsPrivacyFilter,
)


class StatsJob(FedJob):
    """A job that asks sites for statistics, which an object computes there; the sites are left to :meth:`setup_clients`.

    :param statistic_configs: what is asked, by the names of the statistics
    :param stats_generator: an object of a class that derives from :class:`flare_client.statistics.Statistics`, which sites make again
    :param output_path: where the result goes, such as ``statistics/adults.json``
    :param hierarchy_config: sites in levels, as :class:`HierarchicalStatisticsController` takes them; not FLARE's
    :raises JobError:
    """

    @checked_call
    def __init__(
        self,
        name: str,
        statistic_configs: Mapping[str, Any],
        stats_generator: Statistics,
        output_path: str,
        min_count: int = 10,
        min_noise_level: float = 0.1,
        max_noise_level: float = 0.3,
        max_bins_percent: float = 10,
        hierarchy_config: Union[str, Mapping[str, Any], None] = None,
    ):
        if not isinstance(stats_generator, Statistics):
            what = f"the class {stats_generator.__name__}" if isinstance(stats_generator, type) else f"a {type(stats_generator).__name__}"
            raise JobError(f"'stats_generator' is {what}: it must be an object of a class that derives from Statistics")
        if not isinstance(statistic_configs, Mapping):
            raise JobError(f"'statistic_configs' is a {type(statistic_configs).__name__}, no dict by the names of statistics")
        super().__init__(name=name)
        self.stats_generator = stats_generator
        self._cleansers = {
            "min_count_cleanser": MinCountCleanser(min_count),
            "min_max_noise_cleanser": AddNoiseToMinMax(min_noise_level, max_noise_level),
            "hist_bins_cleanser": HistogramBinsCleanser(max_bins_percent),
        }
        writer = self.to_server(JsonStatsFileWriter(output_path), id="stats_writer")
        if hierarchy_config is None:
            self.to_server(StatisticsController(statistic_configs, writer, enable_pre_run_task=False))
        else:
            levels = HierarchicalStatisticsController(statistic_configs, writer, enable_pre_run_task=False, hierarchy_config=hierarchy_config)
            self.to_server(levels)

    def setup_clients(self, sites: Sequence[str]) -> None:
        """Gives sites what computes their statistics, and cleanses it. The job begins when all of them are there, where FLARE's begins with one.

        :raises JobError:
        """
        if isinstance(sites, str) or not sites:
            raise JobError("'sites' is a list of names, with one at least")
        for site in sites:
            if site in self.sites:
                raise JobError(f"'sites' has '{site}' twice")
            generator = self.to(self.stats_generator, site, id="stats_generator")
            self.to(StatisticsExecutor(generator), site, tasks=["fed_stats"])
            cleansers = [self.to(cleanser, site, id=name) for name, cleanser in self._cleansers.items()]
            self.to(StatisticsPrivacyFilter(cleansers), site, filter_type=FilterType.TASK_RESULT, tasks=["fed_stats"])
        self.min_clients = len(self.sites)
