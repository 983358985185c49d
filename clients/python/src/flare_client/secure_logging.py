"""What FLARE's scripts write of errors: with ``NVFLARE_SECURE_LOGGING`` only where and of which kind, as messages may quote a site's data."""

import logging
import os
import sys
import traceback
from typing import Optional

#: FLARE's variable: ``1`` or ``true``.
VARIABLE = "NVFLARE_SECURE_LOGGING"


def is_secure() -> bool:
    """Whether messages of errors are left out."""
    return os.environ.get(VARIABLE, "").lower() in ("1", "true")


def secure_format_exception(error: BaseException) -> str:
    """An error in a line."""
    return type(error).__name__ if is_secure() else str(error)


def secure_format_traceback() -> str:
    """The error that is being handled, with where it comes from."""
    if not is_secure():
        return traceback.format_exc()
    kind, _, place = sys.exc_info()
    frames = "".join(f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n' for frame in traceback.extract_tb(place))
    return f"Traceback (most recent call last):\n{frames}{kind.__name__ if kind is not None else None}\n"


def secure_log_traceback(logger: Optional[logging.Logger] = None) -> None:
    """Writes it to a log."""
    (logger or logging.getLogger()).error(secure_format_traceback())
