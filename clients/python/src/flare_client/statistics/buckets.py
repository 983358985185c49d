"""Histograms of arrays."""

from typing import List, Optional

import numpy as np

from .spec import Bin, BinRange, DataType


def get_std_histogram_buckets(nums: np.ndarray, num_bins: int = 10, br: Optional[BinRange] = None) -> List[Bin]:
    """Bins of one width. Infinite values count in the first and the last one."""
    numbers = np.asarray(nums, dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    counts, edges = np.histogram(finite, bins=num_bins, range=None if br is None else (br.min_value, br.max_value))
    counts[0] += int(np.count_nonzero(np.isneginf(numbers)))
    counts[-1] += int(np.count_nonzero(np.isposinf(numbers)))
    return [Bin(float(low), float(high), int(count)) for low, high, count in zip(edges, edges[1:], counts)]


def dtype_to_data_type(dtype: object) -> DataType:
    """What a column of a NumPy or pandas kind holds."""
    kind = str(getattr(dtype, "kind", "O"))
    if kind == "f":
        return DataType.FLOAT
    if kind in ("i", "u", "b"):
        return DataType.INT
    return DataType.DATETIME if kind in ("m", "M") else DataType.STRING
