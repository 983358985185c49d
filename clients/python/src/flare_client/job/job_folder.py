"""The folder that a job is submitted as."""

import json
import os
import secrets
import shutil
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ..safetensors import RawTensor, write_safetensors
from .app import INITIAL_MODEL
from .errors import JobError
from .source_files import SourceFiles


class AppFolder(NamedTuple):
    """One app of a job as it is written. What is ``None`` is not there."""

    name: str
    targets: List[str]
    server: Optional[Dict[str, Any]]
    client: Optional[Dict[str, Any]]
    model: Optional[Dict[str, RawTensor]]
    sources: SourceFiles
    #: Documents that stand beside the server's configuration, by their names.
    documents: Mapping[str, Any] = {}


def write_job_folder(root: str, meta: Dict[str, Any], apps: List[AppFolder]) -> str:
    """Writes the folder of a job below another folder, under the job's name, in place of an earlier one of that job; gives its path.

    It is there when it is complete. The same job has the same bytes each time.

    :raises JobError: when something else has the name
    """
    os.makedirs(root, exist_ok=True)
    folder = os.path.join(os.path.abspath(root), meta["name"])
    if os.path.lexists(folder) and not _is_of_job(folder, meta["name"]):
        raise JobError(f"{folder} is there and is not a folder of the job '{meta['name']}'")
    draft = os.path.join(os.path.abspath(root), f".{meta['name']}.{secrets.token_hex(4)}")
    os.mkdir(draft)
    try:
        deploy_map = {app.name: app.targets for app in apps}
        _write_json(os.path.join(draft, "meta.json"), {"name": meta["name"], "deploy_map": deploy_map, **meta})
        for app in apps:
            _write_app(os.path.join(draft, app.name), app)
        if os.path.isdir(folder):
            earlier = f"{draft}.earlier"
            os.rename(folder, earlier)
            os.rename(draft, folder)
            shutil.rmtree(earlier)
        else:
            os.rename(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _write_app(folder: str, app: AppFolder) -> None:
    os.makedirs(os.path.join(folder, "config"))
    if app.server is not None:
        _write_json(os.path.join(folder, "config", "config_fed_server.json"), app.server)
    for name, document in app.documents.items():
        _write_json(os.path.join(folder, "config", name), document)
    if app.client is not None:
        _write_json(os.path.join(folder, "config", "config_fed_client.json"), app.client)
    if app.model is not None:
        write_safetensors(os.path.join(folder, INITIAL_MODEL), app.model.items())
    if app.sources:
        app.sources.write(os.path.join(folder, "custom"))


def _write_json(path: str, content: Dict[str, Any]) -> None:
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise JobError(f"{os.path.basename(path)} would hold what is no JSON: {error}") from error
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")


def _is_of_job(folder: str, name: str) -> bool:
    try:
        with open(os.path.join(folder, "meta.json"), encoding="utf-8") as file:
            return json.load(file).get("name") == name
    except (OSError, ValueError, AttributeError):
        return False
