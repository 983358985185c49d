"""Optimizers of PyTorch, as FLARE's FedOpt takes them, as strategies of the server."""

from typing import Any, Dict, Mapping, Optional

from .errors import JobError, without_effect


def strategy_of(
    owner: str,
    optimizer: Optional[Mapping[str, Any]],
    scheduler: Optional[Mapping[str, Any]],
    device: Optional[str] = None,
) -> Dict[str, Any]:
    """``strategy`` and ``strategy_args`` that do what an optimizer does.

    :param owner: the class that was given them, for messages
    :raises JobError: for an optimizer, or a setting of one, that has no counterpart
    """
    if scheduler:
        raise JobError(f"{owner}: 'lr_scheduler_args' is not here: the server's learning rate is the same in all rounds")
    if device is not None:
        without_effect(f"'device' of {owner}", "the server chooses what it aggregates on; `flare doctor engines` shows it")
    if not optimizer:
        optimizer = {"path": "torch.optim.SGD", "args": {"lr": 1.0}}
    path = optimizer.get("path") or optimizer.get("class_path") or optimizer.get("name")
    kind = str(path).split(".")[-1]
    settings = dict(optimizer.get("args") or {})
    if kind not in _STRATEGIES:
        raise JobError(f"{owner}: the optimizer '{path}' is not here; {', '.join(sorted(_STRATEGIES))} of torch.optim are")
    read = _Settings(owner, kind, settings)
    strategy, arguments = _STRATEGIES[kind](read)
    read.refuse_rest()
    return {"strategy": strategy, "strategy_args": arguments}


class _Settings:
    """The arguments of an optimizer, taken out one by one."""

    def __init__(self, owner: str, kind: str, given: Dict[str, Any]):
        self._owner = owner
        self._kind = kind
        self._given = given

    def take(self, name: str, default: Any) -> Any:
        """An argument, or PyTorch's default."""
        return self._given.pop(name, default)

    def refuse_rest(self) -> None:
        """Refuses what is left and says something."""
        for name, value in self._given.items():
            if name in ("foreach", "fused", "capturable", "differentiable", "maximize") and not value:
                continue
            if name in ("weight_decay", "dampening", "lr_decay", "nesterov", "amsgrad") and not value:
                continue
            raise JobError(f"{self._owner}: '{name}' of torch.optim.{self._kind} is not here")


def _sgd(read: _Settings) -> Any:
    return "fed-avg-m", {"learningRate": read.take("lr", 1e-3), "momentum": read.take("momentum", 0)}


def _adam(read: _Settings) -> Any:
    beta1, beta2 = read.take("betas", (0.9, 0.999))
    rates = {"learningRate": read.take("lr", 1e-3), "beta1": beta1, "beta2": beta2}
    return "fed-adam", {**rates, "tau": read.take("eps", 1e-8), "biasCorrection": True}


def _adagrad(read: _Settings) -> Any:
    rates = {"learningRate": read.take("lr", 1e-2), "tau": read.take("eps", 1e-10)}
    return "fed-adagrad", {**rates, "initialVariance": read.take("initial_accumulator_value", 0)}


_STRATEGIES = {"SGD": _sgd, "Adam": _adam, "Adagrad": _adagrad}
