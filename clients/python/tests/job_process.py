"""The other side of the channel, as a site's job process plays it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from typing import Any, Dict, List, Optional

from flare_client.bootstrap import VARIABLE
from flare_client.safetensors import read_safetensors, write_safetensors
from flare_client.tensors import raw_tensors

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src")


class JobProcess:
    """Starts a script as a trainer and speaks the protocol with it."""

    def __init__(
        self,
        script: str,
        transfer: str = "FULL",
        arguments: Optional[List[str]] = None,
        command: Optional[List[str]] = None,
        temporary: Optional[str] = None,
    ):
        self.folder = tempfile.TemporaryDirectory()
        self.script = self.path("train.py")
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(script)
        os.mkdir(self.path("results"))
        ours, theirs = socket.socketpair()
        ours.settimeout(20)
        self.socket = ours
        self.reader = ours.makefile("rb")
        with open(self.path("bootstrap.json"), "w", encoding="utf-8") as file:
            bootstrap = {"protocol_version": 1, "channel": f"fd:{theirs.fileno()}", "job_id": "job-1", "site_name": "site-1", "datasets": {}}
            json.dump(bootstrap, file)
        environment = {**os.environ, VARIABLE: self.path("bootstrap.json"), "PYTHONPATH": SOURCE}
        if temporary is not None:
            os.makedirs(self.path(temporary))
            environment["TMPDIR"] = self.path(temporary)
        self.process = subprocess.Popen(
            [sys.executable, *(command or ["-m", "flare_client", "run"]), self.script, *(arguments or [])],
            env=environment,
            pass_fds=[theirs.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        theirs.close()
        self.transfer = transfer
        #: What heartbeats have said so far.
        self.moved: List[bool] = []

    def path(self, name: str) -> str:
        return os.path.join(self.folder.name, name)

    def touch(self, name: str) -> None:
        with open(self.path(name), "w", encoding="utf-8"):
            pass

    def send(self, **message: Any) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> Dict[str, Any]:
        while True:
            line = self.reader.readline()
            message = json.loads(line) if line else {"type": "end"}
            if message["type"] != "heartbeat":
                return message
            self.moved.append(message["moved"])

    def heartbeat(self) -> bool:
        message = json.loads(self.reader.readline())
        assert message["type"] == "heartbeat", message
        return message["moved"]

    def greet(self, **more: Any) -> Dict[str, Any]:
        hello = self.receive()
        welcome: Dict[str, Any] = dict(
            type="welcome",
            protocol_version=1,
            job_id="job-1",
            job_name="a job",
            site_name="site-1",
            params_transfer_type=self.transfer,
            train_task_names=["train"],
            datasets={"wdbc": "/data/wdbc.csv"},
            result_folder=self.path("results"),
        )
        self.send(**{**welcome, **more})
        return hello

    def task(
        self, params: Dict[str, Any], round_number: int = 0, task_id: str = "task/1", is_gone: bool = False, task_name: str = "train"
    ) -> None:
        path = self.path(f"model-{round_number}.safetensors")
        write_safetensors(path, raw_tensors(params).items())
        if is_gone:
            os.remove(path)
        self.send(
            type="task",
            task_id=task_id,
            task_name=task_name,
            model_path=path,
            current_round=round_number,
            start_round=0,
            total_rounds=3,
            meta={"fedprox_mu": 0.1},
        )

    def result(self) -> Dict[str, Any]:
        """The next result, with the tensors of its file; logs on the way are kept under ``logs``."""
        logs = []
        while True:
            message = self.receive()
            if message["type"] != "log":
                break
            logs.append(message)
        message["logs"] = logs
        if message["type"] == "result":
            message["tensors"] = read_safetensors(message["path"])
        return message

    def accept(self, message: Dict[str, Any]) -> None:
        self.send(type="result_ack", task_id=message["task_id"], accepted=True)

    def stop(self) -> "tuple[int, str]":
        """Ends the job; exit status and output of the trainer."""
        try:
            self.send(type="stop", reason="over")
        except OSError:
            pass
        return self.end()

    def end(self) -> "tuple[int, str]":
        output, _ = self.process.communicate(timeout=20)
        self.reader.close()
        self.socket.close()
        self.folder.cleanup()
        return self.process.returncode, output
