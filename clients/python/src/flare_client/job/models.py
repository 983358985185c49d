"""FLARE's components that hold a job's first model."""

from typing import Any, Dict, Optional

from ..safetensors import RawTensor
from .arguments import Other, checked_call, idle, refused, settle
from .component import ServerModel
from .initial_model import GivenModel

_STORE = "models are in the server's store, and come with the job's result"
_FORMAT = "models are always safetensors"
#: FLARE's own first model, where nobody gives one.
_NUMBERS = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
_BEST = idle(None, "the best model comes with the job's result, as best_FL_global_model.safetensors")


class PTModel(GivenModel):
    """A model of PyTorch, with the weights that it has or those of a file."""

    _others: Dict[str, Other] = {
        "locator": idle(None, _STORE),
        "allow_numpy_conversion": idle(True, _FORMAT),
        "best_model_filename": _BEST,
    }

    @checked_call
    def __init__(self, model: Any, persistor: Optional[ServerModel] = None, *, initial_ckpt: Optional[str] = None, **others: Any):
        settle(self, others, self._others)
        super().__init__(model, initial_ckpt)
        self._persistor = persistor

    def tensors(self) -> Dict[str, RawTensor]:
        return super().tensors() if self._persistor is None else self._persistor.tensors()


class PTFileModelPersistor(GivenModel):
    """The same under the name of what keeps it in FLARE. ``model`` may be the id of a model that the job has as a component."""

    _others: Dict[str, Other] = {
        "exclude_vars": refused(None, "give it to the workflow: what is not aggregated stays as it is"),
        "global_model_file_name": idle("FL_global_model.pt", _STORE),
        "best_global_model_file_name": idle("best_FL_global_model.pt", _STORE),
        "filter_id": refused(None, "no code of a job runs at the server"),
        "load_weights_only": idle(True, "weights alone are read, always"),
        "allow_numpy_conversion": idle(True, _FORMAT),
        "load_device": idle(None, _FORMAT),
    }

    def __init__(self, *, model: Any = None, source_ckpt_file_full_name: Optional[str] = None, **others: Any):
        settle(self, others, self._others)
        #: Id of another component, which is the model.
        self.component_id = model if isinstance(model, str) else None
        super().__init__(None if isinstance(model, str) else model, source_ckpt_file_full_name)

    def take(self, model: Any) -> None:
        """Gives it the model that its id stands for."""
        self._model = model


class NPModelPersistor(GivenModel):
    """A model that is an array."""

    _others: Dict[str, Other] = {
        "model_dir": idle("models", _STORE),
        "model_name": idle("server.npy", _STORE),
    }

    def __init__(self, *, model: Any = None, source_ckpt_file_full_name: Optional[str] = None, **others: Any):
        settle(self, others, self._others)
        if model is None and source_ckpt_file_full_name is None:
            model = _NUMBERS
        super().__init__(model, source_ckpt_file_full_name)
