"""Filters of what sites send."""

from typing import Any, Optional, Sequence, Union

from .arguments import checked_call, refused, settle, without_none
from .component import ResultFilter

_KINDS = {"data_kinds": refused(None, "a filter works on what a site sends, a model or a difference")}


class PercentilePrivacy(ResultFilter):
    """Keeps small changes back and cuts large ones off."""

    path = "PercentilePrivacy"

    def __init__(self, percentile: float = 10, gamma: float = 0.01, **others: Any):
        settle(self, others, _KINDS)
        super().__init__(percentile=percentile, gamma=gamma)


class SVTPrivacy(ResultFilter):
    """Lets a few of the largest changes out, with noise, and no others: the sparse vector technique."""

    path = "SVTPrivacy"

    def __init__(
        self,
        fraction: float = 0.1,
        epsilon: float = 0.1,
        noise_var: float = 0.1,
        gamma: float = 1e-5,
        tau: float = 1e-6,
        data_kinds: Optional[Sequence[str]] = None,
        replace: bool = True,
        epsilon_threshold: Optional[float] = None,
        epsilon_query: Optional[float] = None,
        epsilon_release: Optional[float] = None,
        **others: Any,
    ):
        settle(self, others, {})
        super().__init__(
            fraction=fraction,
            epsilon=epsilon,
            noise_var=noise_var,
            gamma=gamma,
            tau=tau,
            replace=replace,
            **without_none(
                data_kinds=list(data_kinds) if data_kinds else None,
                epsilon_threshold=epsilon_threshold,
                epsilon_query=epsilon_query,
                epsilon_release=epsilon_release,
            ),
        )


class ExcludeVars(ResultFilter):
    """Keeps tensors back, by their names or by a regular expression."""

    path = "ExcludeVars"

    def __init__(self, exclude_vars: Union[Sequence[str], str, None] = None, **others: Any):
        settle(self, others, _KINDS)
        super().__init__(exclude_vars=exclude_vars if exclude_vars is None or isinstance(exclude_vars, str) else list(exclude_vars))


class ClipNorm(ResultFilter):
    """Shortens a change to a length; not FLARE's."""

    path = "ClipNorm"

    @checked_call
    def __init__(self, max_norm: float):
        super().__init__(max_norm=max_norm)


class GaussianPrivacy(ResultFilter):
    """Shortens a change and adds noise to it; not FLARE's."""

    path = "GaussianPrivacy"

    @checked_call
    def __init__(self, clip_norm: float, noise_multiplier: float):
        super().__init__(clip_norm=clip_norm, noise_multiplier=noise_multiplier)


class ModelQuantizer(ResultFilter):
    """The form in which results are sent."""

    path = "ModelQuantizer"

    @checked_call
    def __init__(self, quantization_type: str = "float16"):
        super().__init__(quantization_type=quantization_type)


class ModelDequantizer(ResultFilter):
    """FLARE's other end of it: updates are decoded while they are aggregated, so that it has nothing to do."""

    path = "ModelDequantizer"

    @checked_call
    def __init__(self, source_quantization_type: Optional[str] = None):
        del source_quantization_type
        super().__init__()
