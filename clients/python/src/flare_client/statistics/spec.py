"""What computes statistics of a site's data, under FLARE's names."""

import logging
import traceback
from abc import ABC, abstractmethod
from enum import IntEnum
from typing import Any, Dict, List, NamedTuple, Optional, Tuple


class DataType(IntEnum):
    """What a feature holds. Statistics are of numbers: features of the other kinds are passed over."""

    INT = 0
    FLOAT = 1
    STRING = 2
    BYTES = 3
    STRUCT = 4
    DATETIME = 5


class BinRange(NamedTuple):
    """From where to where a histogram goes."""

    min_value: float
    max_value: float


class Bin(NamedTuple):
    """A bin of a histogram: from, to (exclusive but for the last one), and how many values."""

    low_value: float
    high_value: float
    sample_count: float


class HistogramType(IntEnum):
    """Bins of one width, or of one count."""

    STANDARD = 0
    QUANTILES = 1


class Histogram(NamedTuple):
    """Bins in ascending order."""

    hist_type: HistogramType
    bins: List[Bin]
    hist_name: Optional[str] = None


class Feature(NamedTuple):
    """A column of a data set."""

    feature_name: str
    data_type: DataType


class StatisticConfig(NamedTuple):
    """A statistic that a job asks for, and what it says of it."""

    name: str
    config: dict


class SiteContext:
    """What FLARE calls ``fl_ctx``, as far as statistics need it."""

    def __init__(self, site_name: str, job_id: str, datasets: Dict[str, str]):
        self._site_name = site_name
        self._job_id = job_id
        #: Data sets that the site offers: name to path.
        self.datasets = datasets

    def get_identity_name(self) -> str:
        """Name of the site."""
        return self._site_name

    def get_job_id(self) -> str:
        """Which job."""
        return self._job_id

    def get_prop(self, key: str, default: Any = None) -> Any:
        """Nothing is known under any key of FLARE's."""
        del key
        return default


class Statistics(ABC):
    """Local statistics of a site.

    ``features`` and ``count`` are needed; of the others those that jobs ask for. A method that raises ``NotImplementedError`` leaves its
    statistic out of the answer.
    """

    #: Arguments that the object was made with: a job that is written in Python hands them on to sites.
    given_arguments: Tuple[Tuple[Any, ...], Dict[str, Any]] = ((), {})

    def __new__(cls, *arguments: Any, **named: Any) -> "Statistics":
        own = super().__new__(cls)
        own.given_arguments = (arguments, named)
        return own

    def __init__(self) -> None:
        self.logger = logging.getLogger(type(self).__name__)

    def initialize(self, fl_ctx: Any) -> None:
        """Called once, before anything else: the place to load data."""

    def pre_run(self, statistics: List[str], num_of_bins: Optional[Dict[str, Any]], bin_ranges: Optional[Dict[str, Any]]) -> Any:
        """Called once with what will be asked."""
        del statistics, num_of_bins, bin_ranges
        return {}

    @abstractmethod
    def features(self) -> Dict[str, List[Feature]]:
        """Features of each data set, by its name."""

    @abstractmethod
    def count(self, dataset_name: str, feature_name: str) -> int:
        """How many values there are."""

    def failure_count(self, dataset_name: str, feature_name: str) -> int:
        """How many of those could not be used."""
        del dataset_name, feature_name
        return 0

    def sum(self, dataset_name: str, feature_name: str) -> float:
        """The sum of the values."""
        raise NotImplementedError

    def mean(self, dataset_name: str, feature_name: str) -> float:
        """Their mean; asked where there is no ``sum``."""
        raise NotImplementedError

    def stddev(self, dataset_name: str, feature_name: str) -> float:
        """Their standard deviation about their own mean."""
        raise NotImplementedError

    def variance_with_mean(self, dataset_name: str, feature_name: str, global_mean: float, global_count: float) -> float:
        """Squared distances to the mean of all sites, added up and divided by ``global_count - 1``."""
        raise NotImplementedError

    def histogram(
        self, dataset_name: str, feature_name: str, num_of_bins: int, global_min_value: float, global_max_value: float
    ) -> Histogram:
        """A histogram with so many bins of one width."""
        raise NotImplementedError

    def min_value(self, dataset_name: str, feature_name: str) -> float:
        """The least value."""
        raise NotImplementedError

    def max_value(self, dataset_name: str, feature_name: str) -> float:
        """The largest value."""
        raise NotImplementedError

    def quantiles(self, dataset_name: str, feature_name: str, percentiles: List) -> Dict:
        """``{"digest_coord": {"centroids": [{"m": mean, "c": weight}, …]}}``, as a t-digest has them."""
        raise NotImplementedError

    def finalize(self, fl_ctx: Any) -> None:
        """Called once, when the job is over."""

    def log_info(self, fl_ctx: Any, message: str, **_: Any) -> None:
        """Writes a line to the trainer's log."""
        del fl_ctx
        print(message, flush=True)

    log_debug = log_warning = log_error = log_critical = log_info

    def log_exception(self, fl_ctx: Any, message: str, **_: Any) -> None:
        """The same, with the exception that is being handled."""
        self.log_info(fl_ctx, f"{message}\n{traceback.format_exc()}")
