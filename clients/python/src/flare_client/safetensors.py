"""Files in the safetensors format, read without a copy and written tensor by tensor.

The format: https://huggingface.co/docs/safetensors. Numbers are little-endian.
"""

import json
import mmap
import os
import sys
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Tuple

import numpy as np

from .errors import ClientApiError

#: Longest header; the format's reference implementation has the same limit.
MAX_HEADER_BYTES = 100_000_000

#: The key of a header that is no tensor.
METADATA = "__metadata__"

#: Bytes of an element, by the format's name of its kind.
ITEM_BYTES: Mapping[str, int] = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
}

#: NumPy's kinds of elements by the format's names. NumPy has none for bfloat16 and the 8-bit floats.
NUMPY_KINDS: Mapping[str, np.dtype] = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype(np.uint8),
    "I8": np.dtype(np.int8),
    "I16": np.dtype("<i2"),
    "U16": np.dtype("<u2"),
    "F16": np.dtype("<f2"),
    "I32": np.dtype("<i4"),
    "U32": np.dtype("<u4"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "U64": np.dtype("<u8"),
    "F64": np.dtype("<f8"),
}


class RawTensor(NamedTuple):
    """A tensor as it stands in a file: kind, shape, and its bytes."""

    dtype: str
    shape: Tuple[int, ...]
    data: memoryview


def read_safetensors(path: str) -> Dict[str, RawTensor]:
    """Maps a file into memory and gives its tensors, which read from the file when they are looked at.

    :raises ClientApiError: ``client-api/model-invalid``
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < 8:
            raise _invalid(path, "it is shorter than 8 bytes")
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    header_bytes = int.from_bytes(content[:8], "little")
    if header_bytes > min(MAX_HEADER_BYTES, size - 8):
        raise _invalid(path, f"its header would have {header_bytes} bytes")
    try:
        header = json.loads(bytes(content[8 : 8 + header_bytes]))
        entries = [(name, entry) for name, entry in header.items() if name != METADATA]
    except (ValueError, AttributeError):
        raise _invalid(path, "its header is not a JSON object") from None
    body = content[8 + header_bytes :]
    return {name: _tensor_of(path, name, entry, body) for name, entry in entries}


def write_safetensors(path: str, tensors: Iterable[Tuple[str, RawTensor]]) -> None:
    """Writes a file; data of tensors are written from where they are. The site makes it durable when it takes it."""
    ordered = sorted(tensors, key=lambda item: (-ITEM_BYTES[item[1].dtype], item[0]))
    header: Dict[str, Any] = {}
    offset = 0
    for name, tensor in ordered:
        end = offset + tensor.data.nbytes
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    # The header is filled up with blanks, so that what follows is aligned for elements of 8 bytes.
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for _, tensor in ordered:
            file.write(tensor.data)


def _tensor_of(path: str, name: str, entry: Any, body: memoryview) -> RawTensor:
    try:
        dtype, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        item = ITEM_BYTES[dtype]
    except (KeyError, TypeError, ValueError):
        raise _invalid(path, f"the entry of tensor '{name}' is wrong or of an unknown kind") from None
    numbers: List[Any] = [*shape, begin, end]
    if not all(isinstance(number, int) and 0 <= number <= sys.maxsize for number in numbers):
        raise _invalid(path, f"the shape or the place of tensor '{name}' is wrong")
    elements = 1
    for length in shape:
        elements *= length
    if end > body.nbytes or end - begin != elements * item:
        raise _invalid(path, f"tensor '{name}' does not have the place that its shape needs")
    return RawTensor(dtype, shape, body[begin:end])


def _invalid(path: str, why: str) -> ClientApiError:
    return ClientApiError("client-api/model-invalid", f"{path} is not a safetensors file: {why}.")
