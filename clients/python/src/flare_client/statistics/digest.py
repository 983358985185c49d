"""Digests of sorted values, by which the server finds quantiles of all sites without seeing any value alone but at the ends."""

from typing import Any, List, Tuple

import numpy as np

#: Centroids of a digest: the share of the values below a quantile is off by 1 in a few thousand then.
CENTROIDS = 200


def digest_of(values: np.ndarray, most: int = CENTROIDS) -> List[Tuple[float, float]]:
    """Means and weights of neighbouring values, finer towards the ends.

    The bounds between centroids are those of Dunning's scale function k1 (Computing Extremely Accurate Quantiles Using t-Digests, 2019).
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if ordered.size == 0:
        return []
    shares = (np.sin(np.pi * (np.arange(most) / most - 0.5)) + 1) / 2
    starts = np.unique(np.floor(shares * ordered.size).astype(np.int64))
    weights = np.diff(np.append(starts, ordered.size))
    means = np.add.reduceat(ordered, starts) / weights
    return [(float(mean), float(weight)) for mean, weight in zip(means, weights)]


def centroids_in(answer: Any) -> List[Tuple[float, float]]:
    """Centroids as they stand in what ``Statistics.quantiles`` gives; none where it has no digest."""
    digest = answer.get("digest_coord") if isinstance(answer, dict) else None
    centroids = digest.get("centroids") if isinstance(digest, dict) else None
    return [(float(one["m"]), float(one["c"])) for one in centroids or []]
