"""Where an intersection is written."""

import os
from typing import Any, List


class FilePSIWriter:
    """Writes an intersection to a file for the site's operator alone, an identifier a line.

    :param output_path: below the folder that the site has in the job's
    """

    def __init__(self, output_path: str, folder: str = ""):
        self.output_path = output_path
        self._folder = folder

    def save(self, intersection: List[str], overwrite_existing: bool = True, fl_ctx: Any = None) -> None:
        """Writes the file; it is there when it is complete.

        :raises FileExistsError: for one that is there and must not be written over
        """
        path = self.get_output_path(fl_ctx)
        if not overwrite_existing and os.path.exists(path):
            raise FileExistsError(f"{path} is there already")
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        part = f"{path}.part"
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as file:
            file.writelines(f"{item}\n" for item in intersection)
        os.replace(part, path)

    def get_output_path(self, fl_ctx: Any = None) -> str:
        """Where the file is."""
        del fl_ctx
        return os.path.join(self._folder, self.output_path)
