"""Lets a class of a job load identifiers, and save an intersection, for the program that blinds them."""

import importlib
import os
from typing import Any, Dict, List, Mapping

from ..bootstrap import read_bootstrap
from ..errors import ClientApiError
from ..statistics.spec import SiteContext
from .spec import PSI
from .writer import FilePSIWriter

#: Identifiers go through it, a line each, to the program or from it.
DESCRIPTOR = 3


def load(psi: PSI) -> None:
    """Hands the class's identifiers to the program."""
    lines = lines_of(psi.load_items())
    with open(DESCRIPTOR, "w", encoding="utf-8", newline="") as pipe:
        pipe.writelines(lines)


def save(psi: PSI) -> None:
    """Hands the program's intersection to the class."""
    with open(DESCRIPTOR, encoding="utf-8", newline="\n") as pipe:
        psi.save([line.rstrip("\n") for line in pipe])


def lines_of(items: Any) -> List[str]:
    """Identifiers as lines.

    :raises ClientApiError: for one that is none
    """
    lines = []
    for item in items:
        # FLARE's examples give a column of a data frame, which may be of whole numbers.
        text = item if isinstance(item, str) else str(int(item)) if _is_whole(item) else None
        if text is None:
            raise ClientApiError("client-api/items-invalid", f"load_items() gives a {type(item).__name__}: identifiers are texts.")
        if "\n" in text or "\r" in text:
            raise ClientApiError("client-api/items-invalid", "load_items() gives an identifier with a line break in it.")
        lines.append(f"{text}\n")
    return lines


def psi_of(path: str, arguments: Mapping[str, Any], place: Mapping[str, Any]) -> PSI:
    """The object that a job's component stands for: ``module.Class``, made with its arguments, and its writer.

    :param place: ``writers`` of the job, id to path, and the ``folder`` that they write in
    """
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name)
    if not (isinstance(found, type) and issubclass(found, PSI)):
        raise ClientApiError("client-api/script-missing", f"{name} of {module} is no class that derives from PSI.")
    psi = found(**arguments)
    writers: Dict[str, str] = dict(place["writers"])
    if psi.psi_writer_id in writers:
        psi.psi_writer = FilePSIWriter(writers[psi.psi_writer_id], str(place["folder"]))
    elif found.save is PSI.save:
        known = ", ".join(writers) or "none"
        raise ClientApiError(
            "client-api/script-missing", f"{path} names the writer '{psi.psi_writer_id}', and the job's FilePSIWriters are: {known}."
        )
    facts = read_bootstrap(os.environ)
    psi.initialize(SiteContext(facts["site_name"], facts["job_id"], dict(facts.get("datasets") or {})))
    return psi


def _is_whole(item: Any) -> bool:
    return not isinstance(item, (bool, float)) and hasattr(item, "__index__")
