"""Words that a job's definition chooses from, with FLARE's spelling."""

from enum import Enum

#: Target that stands for every site.
ALL_SITES = "@ALL"

#: Target that is the server.
SERVER = "server"


class FrameworkType(str, Enum):
    """What a training script computes with. It decides how a first model is read; models travel as safetensors, whatever it is."""

    RAW = "raw"
    NUMPY = "numpy"
    PYTORCH = "pytorch"
    TENSORFLOW = "tensorflow"


class ExchangeFormat(str, Enum):
    """FLARE's formats of parameters. Here models are always safetensors, and a script gets tensors of the library that it has imported."""

    RAW = "raw"
    PYTORCH = "pytorch"
    NUMPY = "numpy"
    KERAS_LAYER_WEIGHTS = "keras_layer_weights"


class TransferType(str, Enum):
    """Whether a site sends whole models or differences to the one that it was given."""

    FULL = "FULL"
    DIFF = "DIFF"


class DataKind:
    """What an aggregator expects: models or differences. The server takes either here."""

    WEIGHTS = "WEIGHTS"
    WEIGHT_DIFF = "WEIGHT_DIFF"


class FilterType:
    """Where a filter stands: results on their way from a site, or models on their way to it."""

    TASK_RESULT = "TASK_RESULT"
    TASK_DATA = "TASK_DATA"


class JobMetaKey(str, Enum):
    """Keys of ``meta.json`` that :func:`flare_client.recipe.set_recipe_meta` sets."""

    RESOURCE_SPEC = "resource_spec"
    SCOPE = "scope"
    CUSTOM_PROPS = "custom_props"
    JOB_LAUNCHER_SPEC = "launcher_spec"
