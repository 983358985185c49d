"""Federated statistics: what a site computes of its data, and hands to a workflow ``StatisticsController``.

A script subclasses :class:`Statistics` and calls :func:`serve`, or a job's ``StatisticsExecutor`` names the class as its generator.
"""

from .csv_statistics import CsvStatistics
from .serve import serve
from .spec import Bin, BinRange, DataType, Feature, Histogram, HistogramType, StatisticConfig, Statistics

__all__ = [
    "Bin",
    "BinRange",
    "CsvStatistics",
    "DataType",
    "Feature",
    "Histogram",
    "HistogramType",
    "StatisticConfig",
    "Statistics",
    "serve",
]
