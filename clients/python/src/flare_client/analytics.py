"""Kinds of what a script shows while training goes on."""

from enum import Enum


class AnalyticsDataType(str, Enum):
    """FLARE's kinds. What is a number is shown as a metric, whatever its kind; what is none is written to the trainer's own output."""

    SCALAR = "SCALAR"
    SCALARS = "SCALARS"
    METRIC = "METRIC"
    METRICS = "METRICS"
    PARAMETER = "PARAMETER"
    PARAMETERS = "PARAMETERS"
    TAG = "TAG"
    TAGS = "TAGS"
    TEXT = "TEXT"
    LOG_RECORD = "LOG_RECORD"
    IMAGE = "IMAGE"


#: Kinds whose values need not be numbers.
WORDS = frozenset(("PARAMETER", "PARAMETERS", "TAG", "TAGS", "TEXT", "LOG_RECORD"))
