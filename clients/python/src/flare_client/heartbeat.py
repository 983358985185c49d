"""Says every few seconds that a trainer lives, and whether its training has moved since."""

import os
import sys
import threading
import time
from typing import Any, Callable, List, Optional, Tuple

from .errors import ClientApiError

#: Seconds between two heartbeats, where the job process does not say another number.
INTERVAL = 5.0

#: A trainer that waits uses less processor time than this share of one core.
_IDLE_SHARE = 0.01


class Heartbeat:
    """A thread that looks at the training thread, the one that has asked for the task.

    The training counts as moving when that thread stands elsewhere in its code than at the last look, or when this process or
    its children have used processor time: code of a library that takes an hour in one call is at work. What waits for something
    that never comes does neither. Code that holds the interpreter's lock stops this thread too, so nothing is sent while it does.
    """

    def __init__(self, send: Callable[[bool], None]):
        self._send = send
        self._interval = INTERVAL
        self._thread_id: Optional[int] = None
        self._over = threading.Event()

    def start(self, interval: float) -> None:
        """Begins; the thread ends with the process."""
        self._interval = interval
        threading.Thread(target=self._run, name="flare-client-heartbeat", daemon=True).start()

    def follow_this_thread(self) -> None:
        """The thread that calls this is the one that trains."""
        self._thread_id = threading.get_ident()

    def stop(self) -> None:
        """No more heartbeats."""
        self._over.set()

    def _run(self) -> None:
        place, used = self._place(), _processor_seconds()
        while not self._over.wait(self._interval):
            now_place, now_used = self._place(), _processor_seconds()
            moved = now_place != place or now_used - used >= self._interval * _IDLE_SHARE
            place, used = now_place, now_used
            try:
                self._send(moved)
            except ClientApiError:
                # The job process is gone, which the training thread hears at its next call.
                return

    def _place(self) -> Tuple[Any, ...]:
        frame = None if self._thread_id is None else sys._current_frames().get(self._thread_id)
        places = []
        while frame is not None:
            places.append((frame.f_code, frame.f_lasti))
            frame = frame.f_back
        return tuple(places)


def _processor_seconds() -> float:
    """Of this process and of its children, as far as the system tells, without what the heartbeat itself needs."""
    ended = os.times()
    # Not the process's own seconds of os.times: they grow by hundredths, more than an idle trainer may use between two looks.
    own = time.process_time() - time.thread_time()
    return own + ended.children_user + ended.children_system + _running_children_seconds()


def _running_children_seconds() -> float:
    """``os.times`` counts children once they have ended; Linux also tells of those that run."""
    ticks = 0
    open_pids = [os.getpid()]
    while open_pids:
        for child in _children(open_pids.pop()):
            try:
                with open(f"/proc/{child}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
            open_pids.append(child)
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def _children(pid: int) -> List[int]:
    found: List[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found.extend(int(word) for word in file.read().split())
        except OSError:
            continue
    return found
