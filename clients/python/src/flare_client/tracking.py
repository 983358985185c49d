"""Writers that show metrics while training goes on, with the calls of the libraries that they are named after."""

from typing import Any, Mapping, Optional

from .analytics import AnalyticsDataType
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
    """MLflow's calls for metrics, parameters, tags and texts. What is no number is written to the trainer's own output."""

    def log_param(self, key: str, value: Any) -> None:
        """Shows a parameter."""
        log(key, value, AnalyticsDataType.PARAMETER)

    def log_params(self, values: Mapping[str, Any]) -> None:
        """Shows several parameters."""
        for name, value in values.items():
            self.log_param(name, value)

    def set_tag(self, key: str, tag: Any) -> None:
        """Shows a tag."""
        log(key, tag, AnalyticsDataType.TAG)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Shows several tags."""
        for name, tag in tags.items():
            self.set_tag(name, tag)

    def log_text(self, text: str, artifact_file_path: str) -> None:
        """Shows a text, under the name of the file that it would be."""
        log(artifact_file_path, text, AnalyticsDataType.TEXT)

    def log_metric(self, key: str, value: float, step: Optional[int] = None) -> None:
        """Shows one number."""
        log(key, value, global_step=step)

    def log_metrics(self, metrics: Mapping[str, float], step: Optional[int] = None) -> None:
        """Shows several numbers."""
        for name, value in metrics.items():
            log(name, value, global_step=step)
