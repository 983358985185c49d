"""What is exchanged with the federation."""

from enum import Enum
from typing import Any, Dict, Mapping, Optional


class ParamsType(str, Enum):
    """Whether parameters are a whole model or the difference to the one that was received."""

    FULL = "FULL"
    DIFF = "DIFF"


class FLModel:
    """A model or an update.

    :param params_type: of ``params``; FULL when they are given without it.
    :param params: tensors by name, each a NumPy array or a torch tensor.
    :param metrics: numbers by name.
    :param meta: plain JSON. ``NUM_STEPS_CURRENT_ROUND`` gives an update its weight.
    :param optimizer_params: taken for the sake of scripts that set it; it stays at the site.
    """

    def __init__(
        self,
        params_type: Optional[ParamsType] = None,
        params: Optional[Mapping[str, Any]] = None,
        optimizer_params: Any = None,
        metrics: Optional[Mapping[str, float]] = None,
        start_round: Optional[int] = 0,
        current_round: Optional[int] = None,
        total_rounds: Optional[int] = None,
        meta: Optional[Dict[str, Any]] = None,
    ):
        if params_type is not None:
            params_type = ParamsType(params_type)
        if params_type is None and params is not None:
            params_type = ParamsType.FULL
        if params_type is not None and params is None:
            raise ValueError(f"an FLModel of type {params_type.value} needs params")
        self.params_type = params_type
        self.params = params
        self.optimizer_params = optimizer_params
        self.metrics = metrics
        self.start_round = start_round
        self.current_round = current_round
        self.total_rounds = total_rounds
        self.meta: Dict[str, Any] = {} if meta is None else meta

    def __repr__(self) -> str:
        names = [] if self.params is None else list(self.params)
        kind = None if self.params_type is None else self.params_type.value
        return f"FLModel({kind}, {len(names)} tensors, round {self.current_round} of {self.total_rounds}, metrics {self.metrics})"
