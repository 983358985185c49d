"""Folders in which a job is defined, and what is read of a job that was exported."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from typing import Any, Dict, Iterator, List

from flare_client.job.errors import without_effect
from flare_client.safetensors import read_safetensors

SCRIPT = "import flare_client as flare\n"


class JobFolders(unittest.TestCase):
    """Each test has a working folder of its own, with a training script in it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        before = sys.argv[:]
        self.addCleanup(lambda: sys.argv.__setitem__(slice(None), before))
        sys.argv[:] = [os.path.join(self.folder, "job.py")]
        self.write("client.py", SCRIPT)
        without_effect.cache_clear()

    def write(self, path: str, text: str) -> str:
        """Writes a file below the folder."""
        whole = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(text)
        return whole

    def files(self, folder: str) -> List[str]:
        """Paths of all files below a folder."""
        return sorted(os.path.relpath(os.path.join(inner, name), folder) for inner, _, names in os.walk(folder) for name in names)

    def json(self, *path: str) -> Any:
        """What a file holds."""
        with open(os.path.join(*path), encoding="utf-8") as file:
            return json.load(file)

    def bytes_of(self, folder: str) -> Dict[str, bytes]:
        """All files below a folder, with what they hold."""
        content = {}
        for name in self.files(folder):
            with open(os.path.join(folder, name), "rb") as file:
                content[name] = file.read()
        return content

    def workflow(self, folder: str, number: int = 0, app: str = "app") -> Dict[str, Any]:
        """A workflow of an exported job."""
        return self.json(folder, app, "config", "config_fed_server.json")["workflows"][number]

    def executor(self, folder: str, app: str = "app") -> Dict[str, Any]:
        """The arguments of the first executor of an exported job."""
        return self.json(folder, app, "config", "config_fed_client.json")["executors"][0]["executor"]["args"]

    def model(self, folder: str, app: str = "app") -> Dict[str, Any]:
        """The tensors of an exported job: kind and shape by name."""
        raw = read_safetensors(os.path.join(folder, app, "initial_model.safetensors"))
        return {name: (tensor.dtype, tensor.shape) for name, tensor in raw.items()}


@contextlib.contextmanager
def told() -> Iterator[io.StringIO]:
    """What is said meanwhile on the error stream."""
    with contextlib.redirect_stderr(io.StringIO()) as output:
        yield output
