"""Writers that show metrics while training goes on, with the calls of the libraries that they are named after."""

from typing import Any, Mapping, Optional

from .api import log


class SummaryWriter:
    """TensorBoard's calls for scalars."""

    def add_scalar(self, tag: str, scalar: float, global_step: Optional[int] = None, **kwargs: Any) -> None:
        """Shows one number."""
        log(tag, scalar, global_step=global_step, **kwargs)

    def add_scalars(self, tag: str, scalars: Mapping[str, float], global_step: Optional[int] = None, **kwargs: Any) -> None:
        """Shows several numbers under one name."""
        log(tag, dict(scalars), global_step=global_step, **kwargs)

    def flush(self) -> None:
        """Every number is sent at once: there is nothing to do."""

    def close(self) -> None:
        """The session is not the writer's: there is nothing to do."""


class WandBWriter:
    """Weights & Biases' call for metrics."""

    def log(self, metrics: Mapping[str, float], step: Optional[int] = None) -> None:
        """Shows several numbers."""
        for name, value in metrics.items():
            log(name, value, global_step=step)


class MLflowWriter:
    """MLflow's calls for metrics."""

    def log_metric(self, key: str, value: float, step: Optional[int] = None) -> None:
        """Shows one number."""
        log(key, value, global_step=step)

    def log_metrics(self, metrics: Mapping[str, float], step: Optional[int] = None) -> None:
        """Shows several numbers."""
        for name, value in metrics.items():
            log(name, value, global_step=step)
