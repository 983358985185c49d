"""Federated statistics as a recipe."""

from typing import Any, Mapping, Sequence, Union

from ..job import JobError, StatsJob
from ..job.arguments import settle
from ..statistics.spec import Statistics
from .spec import Recipe


class FedStatsRecipe(Recipe):
    """Statistics of what data sites have, without training. The result is a JSON file; ``docs/statistics.md`` says what is in it.

    :param name: of the job
    :param stats_output_path: where the result goes below that of the job, such as ``statistics/adults.json``
    :param sites: names of the sites that are asked
    :param statistic_configs: what is asked: ``{"count": {}, "mean": {}, "histogram": {"*": {"bins": 20}}}``
    :param stats_generator: an object of a class that derives from :class:`flare_client.statistics.Statistics`, which each site makes again; not
        FLARE's: ``CsvStatistics(datasets=["patients"])`` for the site's own tables, which needs no code at the site
    :param min_count: values that a feature has at least, else nothing of it leaves the site
    :param min_noise_level: the least share by which the least and the largest value are moved outwards, ``max_noise_level`` the largest
    :param max_bins_percent: how many bins a histogram may have, in per cent of the values
    :param hierarchy_config: sites in levels, each of which is rolled up: a JSON file, or what would be in one; not FLARE's
    :raises JobError: for what is wrong, unknown, or cannot go to a site
    """

    def __init__(
        self,
        name: str,
        stats_output_path: str,
        sites: Sequence[str],
        statistic_configs: Mapping[str, Any],
        stats_generator: Statistics,
        min_count: int = 10,
        min_noise_level: float = 0.1,
        max_noise_level: float = 0.3,
        max_bins_percent: float = 10,
        hierarchy_config: Union[str, Mapping[str, Any], None] = None,
        **others: Any,
    ):
        settle(self, others, {})
        job = StatsJob(
            name=name,
            statistic_configs=statistic_configs,
            stats_generator=stats_generator,
            output_path=stats_output_path,
            min_count=min_count,
            min_noise_level=min_noise_level,
            max_noise_level=max_noise_level,
            max_bins_percent=max_bins_percent,
            hierarchy_config=hierarchy_config,
        )
        job.setup_clients(sites)
        super().__init__(job)

    def set_per_site_config(self, config: Mapping[str, Mapping[str, Any]]) -> None:
        """Is refused: no script runs that sites could have arguments for.

        :raises JobError:
        """
        raise JobError("FedStatsRecipe has no arguments by site: 'sites' names its sites, and what computes at them is the same object")
