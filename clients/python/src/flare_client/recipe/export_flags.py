"""``--export`` and ``--export-dir`` of a script that defines a job.

They are taken out of ``sys.argv`` when the recipes are imported, as FLARE does it, so that a parser of the script's own never sees them.
"""

import sys
from typing import List, Optional, Tuple

#: Where a job is exported to that no folder is named for.
DEFAULT_FOLDER = "./fl_job"


def take_export_flags(argv: List[str]) -> Optional[str]:
    """Removes the flags; gives the folder to export to, or ``None`` where the job is to run. A flag without its value is left alone."""
    taken = _parse(argv[1:])
    if taken is None:
        return None
    is_export, folder, rest = taken
    argv[1:] = rest
    if folder is not None and not is_export:
        print("flare-client: --export-dir has no effect here: there is no --export", file=sys.stderr)
    return (folder or DEFAULT_FOLDER) if is_export else None


def _parse(words: List[str]) -> Optional[Tuple[bool, Optional[str], List[str]]]:
    is_export = False
    folder: Optional[str] = None
    rest: List[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--export":
            is_export = True
        elif word == "--export-dir":
            folder = next(waiting, None)
            if folder is None:
                return None
        elif word.startswith("--export-dir="):
            folder = word.split("=", 1)[1]
        else:
            rest.append(word)
    return is_export, folder, rest


#: The folder that the script was told to export to.
EXPORT_FOLDER = take_export_flags(sys.argv)
