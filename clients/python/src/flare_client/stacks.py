"""Where the threads of a trainer stand, when its site asks."""

import faulthandler
import signal
from typing import Optional

#: The signal by which a job process asks.
SIGNAL = "SIGUSR1"


def write_stacks_when_asked() -> Optional[str]:
    """Has the stacks of all threads written to the trainer's output upon a signal, and gives its name.

    Nothing of Python has to run for that, so it works for a trainer that hangs. A script that uses the signal itself keeps it.
    """
    number = getattr(signal, SIGNAL, None)
    if number is None or signal.getsignal(number) not in (signal.SIG_DFL, signal.SIG_IGN):
        return None
    faulthandler.register(number, file=2, all_threads=True, chain=False)
    return SIGNAL
