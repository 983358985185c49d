"""Starts trainers of several processes by a launcher that closes what it inherits, such as torchrun.

The channel of the job process is a file descriptor, which such launchers do not pass on. Here it becomes a socket with a
path, to which the process of rank 0 connects.
"""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
from typing import List

from .bootstrap import LAUNCHER_VARIABLE, VARIABLE, open_channel, read_bootstrap

#: Longest path that every system takes for a socket, in bytes.
MAX_SOCKET_PATH = 103


def launch(command: List[str]) -> int:
    """Runs a command with a channel that its children can reach; gives its exit status, as a shell has it."""
    # By this signal a site asks trainers where they stand: it must end neither the launcher nor this process.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    bootstrap = read_bootstrap(os.environ)
    upstream = open_channel(bootstrap["channel"])
    with _own_folder() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        path = os.path.join(folder, "channel")
        listener.bind(path)
        listener.listen(1)
        file = os.path.join(folder, "bootstrap.json")
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as written:
            json.dump({**bootstrap, "channel": f"unix:{path}"}, written)
        own = os.environ.get(VARIABLE)
        marked = {} if own is None else {LAUNCHER_VARIABLE: own}
        child = subprocess.Popen(command, env={**os.environ, **marked, VARIABLE: file})
        threading.Thread(target=_join, args=(listener, upstream), daemon=True).start()
        status = child.wait()
    return 128 - status if status < 0 else status


def _own_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder that only this user may enter. A site's temporary folders lie deep in its kit, where a socket's path may be too long."""
    folder = tempfile.TemporaryDirectory(prefix="flare-")
    if len(os.fsencode(os.path.join(folder.name, "channel"))) <= MAX_SOCKET_PATH:
        return folder
    folder.cleanup()
    return tempfile.TemporaryDirectory(prefix="flare-", dir="/tmp")


def _join(listener: socket.socket, upstream: socket.socket) -> None:
    try:
        downstream, _ = listener.accept()
    except OSError:
        # The command has ended without a word.
        return
    threading.Thread(target=_copy, args=(upstream, downstream), daemon=True).start()
    _copy(downstream, upstream)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # One side is gone, which the other hears by its own end of the channel.
        pass
