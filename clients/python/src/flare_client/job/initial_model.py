"""The model that a job begins with: from an object, a class by name, or a file of one of the usual kinds."""

import importlib
import os
import sys
from typing import Any, Dict, Mapping, Optional

import numpy as np

from ..errors import ClientApiError
from ..fl_model import FLModel
from ..safetensors import RawTensor, read_safetensors
from ..tensors import raw_tensors
from .component import ServerModel
from .errors import JobError

#: Name of the one tensor of a model that is an array, as FLARE's scripts for NumPy expect it.
NUMPY_KEY = "numpy_key"

#: Endings of files that PyTorch writes.
_TORCH_ENDINGS = (".pt", ".pth", ".bin", ".ckpt")


class GivenModel(ServerModel):
    """A model as a job's author has it.

    :param model: a torch module; ``{"class_path": ..., "args": {...}}`` of one; an array or a list of numbers, which becomes float32 as with
        FLARE; or arrays and tensors by name
    :param checkpoint: path of a file on this machine with its weights: ``.safetensors``, ``.npy``, ``.npz``, or one of PyTorch's
    """

    def __init__(self, model: Any = None, checkpoint: Optional[str] = None):
        self._model = model
        self._checkpoint = checkpoint
        self._tensors: Optional[Dict[str, RawTensor]] = None

    def tensors(self) -> Dict[str, RawTensor]:
        # Once: a class that is named draws its weights when it is made.
        if self._tensors is None:
            try:
                self._tensors = raw_tensors(self._named())
            except ClientApiError as error:
                raise JobError(f"the model cannot be the first one of a job: {error}") from error
            if not self._tensors:
                raise JobError("the model has no tensors")
        return self._tensors

    def _named(self) -> Mapping[str, Any]:
        weights = None if self._checkpoint is None else _read_checkpoint(self._checkpoint)
        model = _made(self._model) if _is_class_by_name(self._model) else self._model
        if is_torch_module(model):
            return model.state_dict() if weights is None else _fitted(model, weights, self._checkpoint)
        if weights is not None:
            return weights
        if isinstance(model, FLModel):
            model = model.params
        if model is None:
            raise JobError("a job begins with a model: give 'model' or 'initial_ckpt'")
        if isinstance(model, Mapping):
            return model
        try:
            return {NUMPY_KEY: np.array(model, dtype=np.float32)}
        except (TypeError, ValueError):
            raise JobError(f"a {type(model).__name__} is no model that a job can begin with") from None


def is_torch_module(value: Any) -> bool:
    """Whether a value is a model of PyTorch; it is not imported for the question."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def is_model(value: Any) -> bool:
    """Whether a value can only be a model."""
    return is_torch_module(value) or isinstance(value, (np.ndarray, FLModel)) or _is_class_by_name(value)


def _is_class_by_name(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("class_path", value.get("path")), str)


def _made(named: Mapping[str, Any]) -> Any:
    """An object of a class that is named, with the same random weights each time."""
    path = named.get("class_path", named.get("path"))
    module_name, _, class_name = path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, ValueError, AttributeError) as error:
        raise JobError(f"the model's class '{path}' cannot be imported: {error}") from error
    torch = sys.modules.get("torch")
    if torch is None:
        raise JobError(f"'{path}' is no model of PyTorch; for NumPy give arrays by name")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = kind(**(named.get("args") or {}))
    if not is_torch_module(model):
        raise JobError(f"'{path}' is no model of PyTorch; for NumPy give arrays by name")
    return model


def _fitted(model: Any, weights: Mapping[str, Any], path: Optional[str]) -> Mapping[str, Any]:
    import torch

    try:
        model.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
    except RuntimeError as error:
        raise JobError(f"the weights in {path} are not those of the model: {error}") from error
    return model.state_dict()


def _read_checkpoint(path: str) -> Mapping[str, Any]:
    if not os.path.isfile(path):
        raise JobError(f"there is no file {path}: a job takes its first model along, so it must be on this machine")
    ending = os.path.splitext(path)[1].lower()
    try:
        if ending == ".safetensors":
            from ..tensors import to_own

            return {name: to_own(raw) for name, raw in read_safetensors(path).items()}
        if ending == ".npy":
            return {NUMPY_KEY: np.load(path, allow_pickle=False)}
        if ending == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return dict(arrays)
        if ending in _TORCH_ENDINGS:
            return _read_torch(path)
    except (OSError, ValueError, ClientApiError) as error:
        raise JobError(f"{path} cannot be read as a model: {error}") from error
    raise JobError(f"{path} is no file of a kind that is known: .safetensors, .npy, .npz, {', '.join(_TORCH_ENDINGS)}")


def _read_torch(path: str) -> Mapping[str, Any]:
    try:
        import torch
    except ImportError:
        raise JobError(f"{path} is a file of PyTorch, which this Python does not have") from None
    import pickle

    try:
        # Tensors only: a file must not run code.
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise JobError(f"{path} cannot be read as weights alone: {error}") from error
    if isinstance(content, Mapping) and isinstance(content.get("model"), Mapping):
        # As FLARE saves a model, beside settings of its training.
        content = content["model"]
    if not isinstance(content, Mapping):
        raise JobError(f"{path} holds a {type(content).__name__}, no weights by name")
    return content
