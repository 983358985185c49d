"""One JSON object a line, both ways over a socket."""

import json
import socket
import threading
from typing import Any, Dict, Optional

from .errors import ClientApiError

#: Longest line, in bytes without the line feed.
MAX_LINE_BYTES = 1024 * 1024


class LineChannel:
    """Messages of the Client API over a connected socket. Sending is safe from several threads, receiving from one."""

    def __init__(self, connected: socket.socket):
        self._socket = connected
        self._reader = connected.makefile("rb")
        self._lock = threading.Lock()

    def send(self, message: Dict[str, Any]) -> None:
        """Sends a message; numbers in it must be finite."""
        line = json.dumps(message, allow_nan=False, separators=(",", ":")).encode("utf-8")
        if len(line) > MAX_LINE_BYTES:
            raise ClientApiError(
                "client-api/protocol-violation",
                f"A message of {len(line)} bytes is longer than {MAX_LINE_BYTES}; tensors belong into params, not into meta or metrics.",
            )
        try:
            with self._lock:
                self._socket.sendall(line + b"\n")
        except OSError as error:
            raise ClientApiError("client-api/disconnected", f"The job process is gone: {error}.") from error

    def receive(self) -> Optional[Dict[str, Any]]:
        """Waits for the next message; ``None`` when the channel is over."""
        try:
            line = self._reader.readline(MAX_LINE_BYTES + 1)
        except OSError:
            return None
        if not line.endswith(b"\n"):
            if len(line) > MAX_LINE_BYTES:
                raise self.violated(f"A line is longer than {MAX_LINE_BYTES} bytes.")
            return None
        try:
            message = json.loads(line)
        except ValueError:
            raise self.violated("A line is not JSON.") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise self.violated("A line is not an object with a type.")
        return message

    def renew_lock(self) -> None:
        """In a process that was forked off, where the thread that held the lock may be none of its own."""
        self._lock = threading.Lock()

    def close(self) -> None:
        """Ends the channel after what was sent has left; a thread that waits in ``receive`` gets ``None``."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The other side has closed it before.
            pass

    def violated(self, text: str) -> ClientApiError:
        """Tells the job process what it broke, closes the channel, and gives the error to raise."""
        error = ClientApiError("client-api/protocol-violation", f"The job process broke the protocol: {text}")
        try:
            self.send({"type": "error", "error": {"code": error.code, "message": text}})
        except ClientApiError:
            pass
        self.close()
        return error
