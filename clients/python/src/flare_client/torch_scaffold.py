"""SCAFFOLD at a site, for PyTorch, with the methods of FLARE's helper.

Karimireddy et al., "SCAFFOLD: Stochastic Controlled Averaging for Federated Learning", ICML 2020, Algorithm 1 with option II. Of the K steps
of a round at learning rate η, from the global model x on, each is followed by the correction

    y ← y - η (c - c_i)

and after the last of them the site's own control variate becomes

    c_i ← c_i - c + (x - y) / (K η)

Only parameters have control variates: buffers, such as running statistics, are measured and not trained.
"""

from typing import Any, Dict, List, Mapping, Optional, Tuple

import torch

from .api import is_speaker, open_task, system_info
from .control_state import ControlState
from .tensors import raw_tensors, to_torch

#: Tensors by the names of a model's parameters.
Controls = Dict[str, torch.Tensor]


def get_lr_values(optimizer: torch.optim.Optimizer) -> List[float]:
    """The learning rate of each of an optimizer's groups of parameters, as they are now."""
    return [group["lr"] for group in optimizer.param_groups]


class PTScaffoldHelper:
    """Keeps a site's control variates from round to round, and corrects its steps by them.

    Each round: :meth:`load_global_controls` with ``meta["scaffold_c_global"]``, :meth:`get_params`, :meth:`model_update` after each step of the
    optimizer, :meth:`terms_update` after the last, and :meth:`get_delta_controls` into ``meta["scaffold_c_diff"]``.

    They begin with zeros in the first round of a workflow. A trainer that a site starts anew, or that is given a round again, goes on with
    those from before that round, which lie in the ``state_folder`` of :func:`flare_client.system_info`.
    """

    def __init__(self) -> None:
        #: Steps of this round that were corrected.
        self.cnt = 0
        #: The federation's control variates, and the site's.
        self.c_global: Controls = {}
        self.c_local: Controls = {}
        #: What the last round added to the site's.
        self.c_delta_para: Optional[Dict[str, Any]] = None
        #: The task that is answered, and the site's control variates before it.
        self._task_id: Optional[str] = None
        self._before: Controls = {}

    def init(self, model: torch.nn.Module) -> None:
        """Begins with control variates that are zeros, where the parameters of the model are."""
        self.c_global = {name: torch.zeros_like(parameter.detach()) for name, parameter in model.named_parameters()}
        self.c_local = {name: torch.zeros_like(control) for name, control in self.c_global.items()}
        self.c_delta_para = None

    def load_global_controls(self, weights: Mapping[str, Any]) -> None:
        """Takes the federation's control variates; those of tensors that are no parameters are passed over.

        :raises ValueError: where those of a parameter are missing
        """
        if not self.c_global:
            raise ValueError("call init(model) before load_global_controls")
        missing = [name for name in self.c_global if name not in weights]
        if missing:
            raise ValueError(f"the federation has no control variate of {', '.join(missing)}: is this the model that the job began with?")
        for name, control in self.c_global.items():
            control.copy_(torch.as_tensor(weights[name]))
        task = open_task()
        if task is not None:
            self._begin(task)

    def get_params(self) -> Tuple[Controls, Controls]:
        """Begins a round: the federation's control variates and the site's."""
        self.cnt = 0
        return dict(self.c_global), dict(self.c_local)

    def model_update(self, model: torch.nn.Module, curr_lr: float, c_global_para: Mapping[str, Any], c_local_para: Mapping[str, Any]) -> None:
        """Corrects the model after a step of the optimizer."""
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.sub_(curr_lr * (c_global_para[name] - c_local_para[name]))
        self.cnt += 1

    def terms_update(
        self,
        model: torch.nn.Module,
        curr_lr: float,
        c_global_para: Mapping[str, Any],
        c_local_para: Mapping[str, Any],
        model_global: torch.nn.Module,
    ) -> None:
        """Makes the site's new control variates of what the round has trained.

        :param model_global: the model as it was received
        :raises ValueError: where no step was made, or the learning rate is 0
        """
        if self.cnt == 0 or curr_lr == 0:
            raise ValueError(f"{self.cnt} steps at a learning rate of {curr_lr} give no control variates; call model_update after each step")
        before = dict(model_global.named_parameters())
        deltas: Dict[str, Any] = {}
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                gradient = (before[name].to(parameter.device) - parameter) / (self.cnt * curr_lr)
                new = c_local_para[name] - c_global_para[name] + gradient
                deltas[name] = _as_array(new - c_local_para[name])
                self.c_local[name] = new
        self.c_delta_para = deltas
        state = _state()
        if state is not None and self._task_id is not None and is_speaker():
            state.keep(self._task_id, raw_tensors(self.c_local))

    def get_delta_controls(self) -> Dict[str, Any]:
        """What the last round added to the site's control variates, by name.

        :raises ValueError: before the first :meth:`terms_update`
        """
        if self.c_delta_para is None:
            raise ValueError("call terms_update before get_delta_controls")
        return self.c_delta_para


    def _begin(self, task: Mapping[str, Any]) -> None:
        """Makes the site's control variates those from before a task."""
        if task["task_id"] == self._task_id:
            self.c_local = dict(self._before)
        elif task["current_round"] == task["start_round"]:
            self.c_local = {name: torch.zeros_like(control) for name, control in self.c_global.items()}
        elif self._task_id is None:
            self._take(task["task_id"])
        self._task_id = task["task_id"]
        self._before = dict(self.c_local)

    def _take(self, task_id: str) -> None:
        state = _state()
        kept = None if state is None else state.before(task_id)
        if kept is None:
            return
        for name, control in self.c_local.items():
            if name in kept:
                self.c_local[name] = to_torch(kept[name]).to(control)


def _state() -> Optional[ControlState]:
    folder = system_info().get("state_folder") if open_task() is not None else None
    return None if folder is None else ControlState(folder)


def _as_array(tensor: torch.Tensor) -> Any:
    plain = tensor.cpu()
    # NumPy has no bfloat16; send() takes torch tensors as well.
    return plain if plain.dtype == torch.bfloat16 else plain.numpy()
