"""Tests of what asks the command ``flare``: a stand-in answers, and what it was asked can be looked at."""

import json
import os
import shlex
import sys
from typing import Any, Dict, List
from unittest import mock

from job_folders import JobFolders

STAND_IN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stand_in_flare.py")
JOB_ID = "3f0c9a52-6f0e-4e0a-9d2b-0f8f5a4a7b11"


def answer(**data: Any) -> Dict[str, Any]:
    """The envelope of a command that did what it was asked."""
    return {"schema_version": "1", "status": "ok", "exit_code": 0, "data": data}


def failure(code: str, message: str, exit_code: int = 1, **more: Any) -> Dict[str, Any]:
    """The envelope of one that failed."""
    return {"schema_version": "1", "status": "error", "exit_code": exit_code, "error_code": code, "message": message, "hint": "Do this.", **more}


class AskedFlare(JobFolders):
    """Each test has a stand-in of its own."""

    def setUp(self) -> None:
        super().setUp()
        command = shlex.join([sys.executable, STAND_IN])
        variables = mock.patch.dict(os.environ, {"FLARE_COMMAND": command, "STAND_IN": self.folder})
        variables.start()
        self.addCleanup(variables.stop)
        for name in ("FLARE_PYTHON", "NVFLARE_SIMULATOR_WORKSPACE_ROOT"):
            os.environ.pop(name, None)

    def answers(self, **lines: Any) -> None:
        """Says what is answered to commands that begin with some words, which the names have with ``_`` between them."""
        self.write("answers.json", json.dumps({name.replace("_", " "): found for name, found in lines.items()}))

    def asked(self) -> List[List[str]]:
        """Command lines since the last question, without what all have."""
        path = os.path.join(self.folder, "asked.jsonl")
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        os.remove(path)
        self.assertTrue(all(line["arguments"][-2:] == ["--format", "jsonl"] for line in lines))
        self.variables = lines[-1]["variables"]
        return [line["arguments"][:-2] for line in lines]
