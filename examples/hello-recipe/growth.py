"""A module beside the training script: it goes along with the job because the script imports it."""

import numpy as np


def grown(array: np.ndarray, step: float) -> np.ndarray:
    """What stands for training here. The numbers keep their type: a site that answers in another is refused."""
    return (array + step).astype(array.dtype)
