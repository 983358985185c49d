"""Statistics of pandas data frames, under FLARE's name. pandas is imported by the script that has them."""

from math import sqrt
from typing import Any, Dict, List, Optional

import numpy as np

from .buckets import dtype_to_data_type, get_std_histogram_buckets
from .digest import CENTROIDS, digest_of
from .spec import BinRange, Feature, Histogram, HistogramType, Statistics


class DFStatisticsCore(Statistics):
    """A subclass loads its data frames in ``initialize``, into ``self.data``: by the names of data sets.

    :param max_bin: centroids of a digest, from which quantiles are.
    """

    def __init__(self, max_bin: Optional[int] = None):
        super().__init__()
        self.data: Optional[Dict[str, Any]] = None
        self.max_bin = max_bin

    def features(self) -> Dict[str, List[Feature]]:
        return {
            dataset: [Feature(name, dtype_to_data_type(frame[name].dtype)) for name in frame] for dataset, frame in self._frames().items()
        }

    def count(self, dataset_name: str, feature_name: str) -> int:
        return int(self._column(dataset_name, feature_name).count())

    def sum(self, dataset_name: str, feature_name: str) -> float:
        return float(self._column(dataset_name, feature_name).sum())

    def mean(self, dataset_name: str, feature_name: str) -> float:
        return self.sum(dataset_name, feature_name) / self.count(dataset_name, feature_name)

    def stddev(self, dataset_name: str, feature_name: str) -> float:
        return float(self._column(dataset_name, feature_name).std())

    def variance_with_mean(self, dataset_name: str, feature_name: str, global_mean: float, global_count: float) -> float:
        return float(((self._column(dataset_name, feature_name) - global_mean) ** 2).sum() / (global_count - 1))

    def histogram(
        self, dataset_name: str, feature_name: str, num_of_bins: int, global_min_value: float, global_max_value: float
    ) -> Histogram:
        values = self._numbers(dataset_name, feature_name)
        return Histogram(
            HistogramType.STANDARD, get_std_histogram_buckets(values, num_of_bins, BinRange(global_min_value, global_max_value))
        )

    def min_value(self, dataset_name: str, feature_name: str) -> float:
        return float(self._column(dataset_name, feature_name).min())

    def max_value(self, dataset_name: str, feature_name: str) -> float:
        return float(self._column(dataset_name, feature_name).max())

    def quantiles(self, dataset_name: str, feature_name: str, percents: List) -> Dict:
        del percents
        values = self._numbers(dataset_name, feature_name)
        centroids = digest_of(values, self.max_bin or max(CENTROIDS, round(sqrt(values.size))))
        return {"digest_coord": {"centroids": [{"m": mean, "c": weight} for mean, weight in centroids]}}

    def _numbers(self, dataset_name: str, feature_name: str) -> np.ndarray:
        return np.asarray(self._column(dataset_name, feature_name).dropna(), dtype=np.float64)

    def _column(self, dataset_name: str, feature_name: str) -> Any:
        return self._frames()[dataset_name][feature_name]

    def _frames(self) -> Dict[str, Any]:
        if self.data is None:
            raise ValueError("self.data is not set; load the data frames in initialize()")
        return self.data
