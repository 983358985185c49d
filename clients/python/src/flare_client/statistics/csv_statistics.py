"""Statistics of CSV files, which need no code of a job."""

import csv
import os
from array import array
from typing import Any, Dict, List, Optional

import numpy as np

from ..errors import ClientApiError
from .buckets import get_std_histogram_buckets
from .digest import digest_of
from .spec import BinRange, DataType, Feature, Histogram, HistogramType, Statistics


class CsvStatistics(Statistics):
    """Statistics of those data sets of a site that are CSV files with a line of names.

    Columns whose values are all numbers, or empty, are its features; what is empty, or no finite number, is no value.

    :param datasets: names of data sets that the site offers; all of them by default.
    """

    def __init__(self, datasets: Optional[List[str]] = None, delimiter: str = ","):
        super().__init__()
        self._datasets = datasets
        self._delimiter = delimiter
        self._columns: Dict[str, Dict[str, np.ndarray]] = {}

    def initialize(self, fl_ctx: Any) -> None:
        offered: Dict[str, str] = fl_ctx.datasets
        for name in self._datasets if self._datasets is not None else sorted(offered):
            if name not in offered:
                there = ", ".join(sorted(offered)) or "none"
                raise ClientApiError("client-api/dataset-missing", f"The site offers no data set '{name}'; it offers {there}.")
            self._columns[name] = read_columns(offered[name], self._delimiter)

    def features(self) -> Dict[str, List[Feature]]:
        return {
            dataset: [Feature(name, _type_of(values)) for name, values in columns.items()] for dataset, columns in self._columns.items()
        }

    def count(self, dataset_name: str, feature_name: str) -> int:
        return int(self._values(dataset_name, feature_name).size)

    def sum(self, dataset_name: str, feature_name: str) -> float:
        return float(self._values(dataset_name, feature_name).sum())

    def mean(self, dataset_name: str, feature_name: str) -> float:
        return float(self._values(dataset_name, feature_name).mean())

    def stddev(self, dataset_name: str, feature_name: str) -> float:
        return float(self._values(dataset_name, feature_name).std(ddof=1))

    def variance_with_mean(self, dataset_name: str, feature_name: str, global_mean: float, global_count: float) -> float:
        return float(np.square(self._values(dataset_name, feature_name) - global_mean).sum() / (global_count - 1))

    def histogram(
        self, dataset_name: str, feature_name: str, num_of_bins: int, global_min_value: float, global_max_value: float
    ) -> Histogram:
        values = self._values(dataset_name, feature_name)
        return Histogram(
            HistogramType.STANDARD, get_std_histogram_buckets(values, num_of_bins, BinRange(global_min_value, global_max_value))
        )

    def min_value(self, dataset_name: str, feature_name: str) -> float:
        return float(self._values(dataset_name, feature_name).min())

    def max_value(self, dataset_name: str, feature_name: str) -> float:
        return float(self._values(dataset_name, feature_name).max())

    def quantiles(self, dataset_name: str, feature_name: str, percentiles: List) -> Dict:
        del percentiles
        centroids = digest_of(self._values(dataset_name, feature_name))
        return {"digest_coord": {"centroids": [{"m": mean, "c": weight} for mean, weight in centroids]}}

    def _values(self, dataset_name: str, feature_name: str) -> np.ndarray:
        return self._columns[dataset_name][feature_name]


def read_columns(path: str, delimiter: str = ",") -> Dict[str, np.ndarray]:
    """Columns of numbers of a CSV file, by their names, each without what is no finite number."""
    if os.path.isdir(path):
        raise ClientApiError("client-api/dataset-missing", f"{path} is a folder, not a CSV file.")
    columns: Dict[str, array] = {}
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=delimiter)
        names = [name.strip() for name in next(rows, [])]
        columns = {name: array("d") for name in names if name != ""}
        for row in rows:
            for name, text in zip(names, row):
                own = columns.get(name)
                if own is None or text.strip() == "":
                    continue
                try:
                    own.append(float(text))
                except ValueError:
                    # A column of texts: it is no feature.
                    del columns[name]
    arrays = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    return {name: values[np.isfinite(values)] for name, values in arrays.items()}


def _type_of(values: np.ndarray) -> DataType:
    return DataType.INT if values.size > 0 and bool(np.all(values == np.rint(values))) else DataType.FLOAT
