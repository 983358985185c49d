"""A site's own control variates of SCAFFOLD, kept from one trainer to the next.

Which ones a task is answered with must not depend on whether a trainer has died: it may have made the new ones and not sent its answer, and then the
same task comes again. So those from after each of the last two tasks are kept, by the name of the task.
"""

import os
import re
from typing import Dict, List, Mapping, NamedTuple, Optional
from urllib.parse import quote, unquote

from .room import when_there_is_room
from .safetensors import RawTensor, read_safetensors, write_safetensors

_NAME = re.compile(r"scaffold_c_local\.([0-9]+)\.(.*)\.safetensors")


class _Kept(NamedTuple):
    number: int
    task_id: str
    path: str


class ControlState:
    """Files in a folder that stays when a trainer goes.

    :param folder: the ``state_folder`` of the job process.
    """

    def __init__(self, folder: str):
        self._folder = folder

    def before(self, task_id: str) -> Optional[Mapping[str, RawTensor]]:
        """The control variates that a task begins with: those from after the task before it; ``None`` where none are kept.

        :raises ClientApiError: ``client-api/model-invalid`` where their file is not as it was written
        """
        earlier = [kept for kept in self._kept() if kept.task_id != task_id]
        return read_safetensors(earlier[-1].path) if earlier else None

    def keep(self, task_id: str, controls: Mapping[str, RawTensor]) -> None:
        """Keeps the control variates from after a task, durably; those from before the task before it go."""
        kept = [each for each in self._kept() if each.task_id != task_id]
        number = kept[-1].number + 1 if kept else 0
        path = os.path.join(self._folder, f"scaffold_c_local.{number}.{quote(task_id, safe='')}.safetensors")

        def write() -> None:
            write_safetensors(f"{path}.part", controls.items())
            _make_durable(f"{path}.part")
            os.replace(f"{path}.part", path)
            _make_durable(self._folder)

        when_there_is_room(write)
        for each in kept[:-1]:
            os.remove(each.path)

    def _kept(self) -> List[_Kept]:
        found = [(name, _NAME.fullmatch(name)) for name in os.listdir(self._folder)]
        kept = [_Kept(int(match.group(1)), unquote(match.group(2)), os.path.join(self._folder, name)) for name, match in found if match]
        return sorted(kept)


def _make_durable(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
