"""Tensors of a script: NumPy arrays and torch tensors, to and from the bytes of a file.

torch is imported only where a script has done so already, or where a model has a kind of elements that neither NumPy nor ml_dtypes has.
"""

import functools
import sys
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np

from .errors import ClientApiError
from .safetensors import ITEM_BYTES, METADATA, NUMPY_KINDS, RawTensor

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

#: Kinds that ml_dtypes adds to NumPy, by its names; JAX and TensorFlow make arrays of them.
_ADDED_KINDS: Mapping[str, str] = {"bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}

#: What the bytes of kinds that NumPy lacks are read as before torch looks at them as what they are.
_CARRIERS: Mapping[int, str] = {1: "uint8", 2: "int16", 4: "int32", 8: "int64"}


def to_own(raw: RawTensor) -> Any:
    """A tensor of the script's own, with its own memory: a torch tensor in a script that has imported torch, else a NumPy array.

    :raises ClientApiError: ``client-api/model-invalid`` for bfloat16 and 8-bit floats where there is neither ml_dtypes nor torch
    """
    kind = _numpy_kind(raw.dtype)
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
            "client-api/model-invalid", f"The model has elements of the kind {raw.dtype}, which NumPy lacks; install ml_dtypes or torch."
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
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise _not_an_array(name, value, error) from error
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    dtype = _ADDED_KINDS.get(array.dtype.name) or next((dtype for dtype, kind in NUMPY_KINDS.items() if array.dtype == kind), None)
    if dtype is None:
        raise _unknown_kind(name, array.dtype)
    return RawTensor(dtype, array.shape, _bytes_of(array))


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
    kind = _numpy_kind(trained.dtype)
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


def sum_of(name: str, base: RawTensor, change: RawTensor) -> RawTensor:
    """Two floating tensors of the same kind and shape, added."""
    kind = _numpy_kind(base.dtype)
    if kind is None:
        return to_raw(name, to_torch(base) + to_torch(change))
    summands = (np.frombuffer(tensor.data, dtype=kind) for tensor in (base, change))
    return RawTensor(base.dtype, base.shape, _bytes_of(np.add(*summands)))


def to_kind(name: str, raw: RawTensor, dtype: str) -> RawTensor:
    """The tensor in another kind of elements, rounded to it; without a copy where it is of that kind already."""
    if raw.dtype == dtype:
        return raw
    before, after = _numpy_kind(raw.dtype), _numpy_kind(dtype)
    if before is not None and after is not None:
        return RawTensor(dtype, raw.shape, _bytes_of(np.frombuffer(raw.data, dtype=before).astype(after)))
    import torch

    return to_raw(name, to_torch(raw).to(getattr(torch, _TORCH_NAMES[dtype])))


def _raw_of_torch(name: str, value: Any) -> RawTensor:
    import torch

    dtype = next((dtype for dtype, torch_name in _TORCH_NAMES.items() if value.dtype == getattr(torch, torch_name, None)), None)
    if dtype is None:
        raise _unknown_kind(name, value.dtype)
    try:
        flat = value.detach().cpu().contiguous().reshape(-1)
    except RuntimeError as error:
        # Such as one that is sparse, or has no memory.
        raise _not_an_array(name, value, error) from error
    plain = flat if dtype in NUMPY_KINDS else flat.view(getattr(torch, _CARRIERS[ITEM_BYTES[dtype]]))
    return RawTensor(dtype, tuple(value.shape), _bytes_of(plain.numpy()))


@functools.lru_cache(maxsize=None)
def _numpy_kind(dtype: str) -> Optional[np.dtype]:
    """NumPy's kind of elements by the format's name; ``None`` where it lacks that and there is no ml_dtypes."""
    if dtype in NUMPY_KINDS:
        return NUMPY_KINDS[dtype]
    try:
        import ml_dtypes
    except ImportError:
        return None
    return next(np.dtype(getattr(ml_dtypes, name)) for name, added in _ADDED_KINDS.items() if added == dtype)


def _not_an_array(name: str, value: Any, error: Exception) -> ClientApiError:
    return ClientApiError("client-api/result-invalid", f"Tensor '{name}' is a {type(value).__name__} that is no dense array of numbers: {error}")


def _unknown_kind(name: str, kind: Any) -> ClientApiError:
    return ClientApiError("client-api/result-invalid", f"Tensor '{name}' is of the kind {kind}, which a safetensors file cannot hold.")


def _bytes_of(array: np.ndarray) -> memoryview:
    # A memoryview of an empty array cannot be cast.
    return memoryview(array.reshape(-1).view(np.uint8)) if array.size > 0 else memoryview(b"")


def raw_tensors(params: Mapping[str, Any]) -> Dict[str, RawTensor]:
    """The bytes of all tensors of an update."""
    named: Tuple[Tuple[str, Any], ...] = tuple(params.items())
    for name, _ in named:
        if not isinstance(name, str):
            raise ClientApiError("client-api/result-invalid", f"The name of a tensor is {name!r}, not a text.")
        if name == METADATA:
            raise ClientApiError("client-api/result-invalid", f"No tensor can be named '{name}': the safetensors format uses that name itself.")
    return {name: to_raw(name, value) for name, value in named}
