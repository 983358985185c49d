"""SCAFFOLD's control variates: tensors of a model's file that scripts find in ``meta``, under FLARE's names.

A model of a job with the workflow Scaffold holds, besides each tensor ``w``, the federation's control variate of it as tensor
``scaffold_c_global.w``. A script is given those as ``meta["scaffold_c_global"]``, and answers with what it adds to its own control
variates as ``meta["scaffold_c_diff"]``; both are tensors by name, as ``params`` are.

Karimireddy et al., "SCAFFOLD: Stochastic Controlled Averaging for Federated Learning", ICML 2020.
"""

from typing import Any, Dict, Mapping, Optional, Tuple

from .errors import ClientApiError
from .fl_model import ParamsType
from .safetensors import RawTensor
from .tensors import raw_tensors, sum_of, to_kind, to_own

#: Keys of ``meta``; FLARE's names.
GLOBAL_KEY = "scaffold_c_global"
DIFF_KEY = "scaffold_c_diff"

#: What the name of a control variate begins with in a file.
PREFIX = f"{GLOBAL_KEY}."


def split_controls(raw: Mapping[str, RawTensor]) -> Tuple[Dict[str, RawTensor], Dict[str, RawTensor]]:
    """The tensors of a model's file that are its own, and the control variates by the names of the tensors that they belong to."""
    own = {name: tensor for name, tensor in raw.items() if not name.startswith(PREFIX)}
    return own, {name[len(PREFIX) :]: tensor for name, tensor in raw.items() if name.startswith(PREFIX)}


def meta_with_controls(meta: Mapping[str, Any], controls: Mapping[str, RawTensor]) -> Dict[str, Any]:
    """What a script is told with a model; without control variates the key is missing."""
    if not controls:
        return dict(meta)
    return {**meta, GLOBAL_KEY: {name: to_own(tensor) for name, tensor in controls.items()}}


def meta_without_controls(meta: Mapping[str, Any]) -> Dict[str, Any]:
    """What is sent as JSON: control variates go as tensors."""
    return {key: value for key, value in meta.items() if key not in (GLOBAL_KEY, DIFF_KEY)}


def control_tensors(meta: Mapping[str, Any], received: Mapping[str, RawTensor], params_type: ParamsType) -> Dict[str, RawTensor]:
    """What goes into the file of an update besides its params: nothing, where the model came without control variates.

    A control variate that a script does not name stays as it is, and is sent all the same: noise of a site is for all of them.

    :param received: all tensors of the model's file.
    :param params_type: of the update: in a DIFF stand the differences, in a FULL update what they make of the federation's control variates.
    :raises ClientApiError: ``client-api/result-invalid``
    """
    own, controls = split_controls(received)
    given: Optional[Any] = meta.get(DIFF_KEY)
    if not controls:
        if given is None:
            return {}
        raise _invalid(
            f"meta['{DIFF_KEY}'] is given, and the model came without control variates: the job's workflow is not Scaffold. "
            f"Send it only where the received meta has '{GLOBAL_KEY}'."
        )
    if given is None:
        raise _invalid(
            f"meta['{DIFF_KEY}'] is missing: the job's workflow is Scaffold, and its answers hold what training adds to the site's control "
            "variates, by the names of the parameters. PTScaffoldHelper of nvflare.app_opt.pt.scaffold makes it: get_delta_controls()."
        )
    if not isinstance(given, Mapping):
        raise _invalid(f"meta['{DIFF_KEY}'] is a {type(given).__name__}; it must be tensors by name.")
    changes = raw_tensors(given)
    # Integers, such as counters of batches, have none; scripts that go over a whole state_dict name them all the same.
    unknown = next((name for name in changes if name not in controls and name not in own), None)
    if unknown is not None:
        raise _invalid(f"meta['{DIFF_KEY}'] names '{unknown}', which is no tensor of the received model.")
    if not any(name in controls for name in changes):
        raise _invalid(f"meta['{DIFF_KEY}'] has no control variate in it; give those of all parameters that are trained.")
    return {PREFIX + name: _changed(name, control, changes.get(name), params_type) for name, control in controls.items()}


def _changed(name: str, control: RawTensor, change: Optional[RawTensor], params_type: ParamsType) -> RawTensor:
    if change is None:
        return control if params_type == ParamsType.FULL else RawTensor(control.dtype, control.shape, memoryview(bytes(control.data.nbytes)))
    if control.shape != change.shape:
        raise _invalid(f"'{name}' in meta['{DIFF_KEY}'] is of the shape {change.shape}; that of its tensor is {control.shape}.")
    own_kind = to_kind(name, change, control.dtype)
    return own_kind if params_type == ParamsType.DIFF else sum_of(name, control, own_kind)


def _invalid(message: str) -> ClientApiError:
    return ClientApiError("client-api/result-invalid", message)
