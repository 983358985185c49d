"""Writing to a disk that may be full."""

import errno
import os
import time
from typing import Callable

LOOK_SECONDS = 0.25
"""How often it is looked whether there is room again."""


def when_there_is_room(write: Callable[[], None]) -> None:
    """Calls ``write``, and again for as long as the disk is full: its owner will make room, and a result is not to be lost."""
    is_told = False
    while True:
        try:
            write()
            return
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
        if not is_told:
            is_told = True
            _say("flare: no space is left for the result; waiting until there is.\n")
        time.sleep(LOOK_SECONDS)


def _say(text: str) -> None:
    """The output of a trainer is a file on the same disk, which may have no room for this either."""
    try:
        os.write(2, text.encode())
    except OSError:
        pass
