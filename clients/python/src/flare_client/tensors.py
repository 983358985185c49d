"""Tensors of a script: NumPy arrays and torch tensors, to and from the bytes of a file.

torch is imported only where a script has done so already, or where a model has a kind of elements that NumPy lacks.
"""

import sys
from typing import Any, Dict, Mapping, Tuple

import numpy as np

from .errors import ClientApiError
from .safetensors import ITEM_BYTES, NUMPY_KINDS, RawTensor

_TORCH_NAMES: Mapping[str, str] = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "BF16": "bfloat16",
    "I32": "int32",
    "U32": "uint32",
    "F32": "float32",
    "I64": "int64",
    "U64": "uint64",
    "F64": "float64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
}

#: What the bytes of kinds that NumPy lacks are read as before torch looks at them as what they are.
_CARRIERS: Mapping[int, str] = {1: "uint8", 2: "int16", 4: "int32", 8: "int64"}


def to_own(raw: RawTensor) -> Any:
    """A tensor of the script's own, with its own memory: a torch tensor in a script that has imported torch, else a NumPy array.

    :raises ClientApiError: ``client-api/model-invalid`` for bfloat16 and 8-bit floats where there is no torch
    """
    kind = NUMPY_KINDS.get(raw.dtype)
    # Older torch lacks the unsigned kinds.
    is_for_torch = hasattr(sys.modules.get("torch"), _TORCH_NAMES[raw.dtype])
    if kind is not None and not is_for_torch:
        return np.frombuffer(raw.data, dtype=kind).reshape(raw.shape).copy()
    return to_torch(raw)


def to_torch(raw: RawTensor) -> Any:
    """A torch tensor with its own memory."""
    try:
        import torch
    except ImportError:
        raise ClientApiError(
            "client-api/model-invalid", f"The model has elements of the kind {raw.dtype}, which NumPy lacks; install torch."
        ) from None
    kind = getattr(torch, _TORCH_NAMES[raw.dtype], None)
    if kind is None:
        raise ClientApiError("client-api/model-invalid", f"The model has elements of the kind {raw.dtype}, which this torch lacks.")
    carrier = _CARRIERS[ITEM_BYTES[raw.dtype]]
    plain = torch.from_numpy(np.frombuffer(raw.data, dtype=carrier).copy())
    return (plain != 0 if raw.dtype == "BOOL" else plain.view(kind)).reshape(raw.shape)


def to_raw(name: str, value: Any) -> RawTensor:
    """The bytes of a tensor, without a copy where it lies in one piece.

    :raises ClientApiError: ``client-api/result-invalid``
    """
    if is_torch_tensor(value):
        return _raw_of_torch(name, value)
    array = np.asarray(value)
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    for dtype, kind in NUMPY_KINDS.items():
        if array.dtype == kind:
            return RawTensor(dtype, array.shape, _bytes_of(array))
    raise ClientApiError(
        "client-api/result-invalid", f"Tensor '{name}' is of the kind {array.dtype}, which a safetensors file cannot hold."
    )


def is_torch_tensor(value: Any) -> bool:
    """Whether a value is a torch tensor; torch is not imported for the question."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def difference(name: str, trained: RawTensor, received: Mapping[str, RawTensor]) -> RawTensor:
    """What training has added to a tensor of the model that was received, in its own kind of elements.

    :raises ClientApiError: ``client-api/difference-unsupported``
    """
    base = received.get(name)
    if base is None or base.shape != trained.shape or base.dtype != trained.dtype:
        raise ClientApiError(
            "client-api/difference-unsupported",
            f"Tensor '{name}' is not in the received model with the same shape and kind, so that there is no difference to send.",
        )
    if trained.dtype in ("BOOL", "U8", "U16", "U32", "U64"):
        raise ClientApiError(
            "client-api/difference-unsupported", f"Tensor '{name}' is of the kind {trained.dtype}, which has no negative differences."
        )
    kind = NUMPY_KINDS.get(trained.dtype)
    if kind is None:
        return to_raw(name, to_torch(trained) - to_torch(base))
    minuend, subtrahend = (np.frombuffer(tensor.data, dtype=kind) for tensor in (trained, base))
    result = minuend - subtrahend
    # Beyond the kind a difference of integers comes out with the wrong sign.
    if kind.kind == "i" and ((minuend < subtrahend) != (result < 0)).any():
        raise ClientApiError(
            "client-api/difference-unsupported", f"Tensor '{name}' has differences that its kind {trained.dtype} does not hold."
        )
    return RawTensor(trained.dtype, trained.shape, _bytes_of(result))


def _raw_of_torch(name: str, value: Any) -> RawTensor:
    import torch

    tensor = value.detach().cpu().contiguous()
    for dtype, torch_name in _TORCH_NAMES.items():
        if tensor.dtype == getattr(torch, torch_name, None):
            carrier = getattr(torch, _CARRIERS[ITEM_BYTES[dtype]])
            flat = tensor.reshape(-1)
            plain = flat if dtype in NUMPY_KINDS else flat.view(carrier)
            return RawTensor(dtype, tuple(tensor.shape), _bytes_of(plain.numpy()))
    raise ClientApiError(
        "client-api/result-invalid", f"Tensor '{name}' is of the kind {tensor.dtype}, which a safetensors file cannot hold."
    )


def _bytes_of(array: np.ndarray) -> memoryview:
    # A memoryview of an empty array cannot be cast.
    return memoryview(array.reshape(-1).view(np.uint8)) if array.size > 0 else memoryview(b"")


def raw_tensors(params: Mapping[str, Any]) -> Dict[str, RawTensor]:
    """The bytes of all tensors of an update."""
    named: Tuple[Tuple[str, Any], ...] = tuple(params.items())
    for name, _ in named:
        if not isinstance(name, str):
            raise ClientApiError("client-api/result-invalid", f"The name of a tensor is {name!r}, not a text.")
    return {name: to_raw(name, value) for name, value in named}
