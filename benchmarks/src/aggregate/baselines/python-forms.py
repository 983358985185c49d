"""Aggregates as people do in Python: one JSON object per line in, one out. See python-process.ts for who talks to it."""

import ctypes
import json
import platform
import sys
import time
from functools import reduce

import numpy as np

try:
    import torch
except ImportError:
    torch = None

FLOATS = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}


class Updates:
    """Floating tensors of all updates: row i of `rows` holds those of update i, one after the other."""

    def __init__(self, files, weights):
        self.files = files
        self.weights = weights
        self.total = sum(weights)
        self.shares = np.array([weight / self.total for weight in weights], dtype=np.float32)
        self.begin, self.runs, self.cuts, self.dtype = read_layout(files[0])
        self.elements = self.cuts[-1][1]
        # Rows begin at a cache line, as arrays that were allocated one by one do.
        padded = -(-self.elements // 64) * 64
        self.rows = np.empty((len(files), padded), dtype=FLOATS[self.dtype])[:, : self.elements]
        for row, path in zip(self.rows, files):
            self.read_into(row, path)

    def read_into(self, row, path):
        with open(path, "rb", buffering=0) as file:
            for first, end, offset in self.runs:
                file.seek(self.begin + offset)
                rest = memoryview(row[first:end]).cast("B")
                while len(rest) > 0:  # One call reads 2 GiB at most.
                    rest = rest[file.readinto(rest) :]

    def layers(self, row):
        return [row[begin:end] for begin, end in self.cuts]


def read_layout(path):
    """Where floating elements lie: runs of tensors that follow each other, and the cuts between tensors."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    entries = [entry for name, entry in header.items() if name != "__metadata__"]
    entries.sort(key=lambda entry: entry["data_offsets"][0])
    runs, cuts, dtypes, next_offset, flat = [], [], set(), None, 0
    for entry in entries:
        if entry["dtype"] not in FLOATS:
            continue
        dtypes.add(entry["dtype"])
        begin, end = entry["data_offsets"]
        count = (end - begin) // np.dtype(FLOATS[entry["dtype"]]).itemsize
        if begin == next_offset:
            runs[-1][1] += count
        else:
            runs.append([flat, flat + count, begin])
        cuts.append((flat, flat + count))
        flat += count
        next_offset = end
    (dtype,) = dtypes
    return 8 + length, runs, cuts, dtype


def widened(values):
    """float32 of the values; NumPy has no bfloat16, which is the upper half of a float32."""
    if values.dtype == np.uint16:
        return np.left_shift(values, 16, dtype=np.uint32).view(np.float32)
    return values if values.dtype == np.float32 else values.astype(np.float32)


def narrowed(values, dtype):
    """The float32 values rounded to the type of the updates, to nearest, ties to even."""
    if dtype == np.uint16:
        bits = values.view(np.uint32)
        return ((bits + (0x7FFF + (bits >> 16 & 1))) >> 16).astype(np.uint16)
    return values if dtype == np.float32 else values.astype(dtype)


def numpy_add(updates, _cut):
    sums = np.empty(updates.elements, dtype=np.float32)
    for target, *layers in zip(updates.layers(sums), *map(updates.layers, updates.rows)):
        np.multiply(widened(layers[0]), updates.shares[0], out=target)
        for share, layer in zip(updates.shares[1:], layers[1:]):
            np.add(target, share * widened(layer), out=target)
    return sums


def flower_reduce(updates, _cut):
    # flwr.server.strategy.aggregate.aggregate
    results = [(updates.layers(row), weight) for row, weight in zip(updates.rows, updates.weights)]
    weighted = [[widened(layer) * weight for layer in layers] for layers, weight in results]
    return [reduce(np.add, layer_updates) / updates.total for layer_updates in zip(*weighted)]


def flower_inplace(updates, _cut, copies):
    # flwr.server.strategy.aggregate.aggregate_inplace, of arrays that were deserialised before the clock starts
    scales = np.asarray([weight / updates.total for weight in updates.weights])
    params = [np.multiply(layer, scales[0], out=layer, casting="same_kind") for layer in copies[0]]
    for scale, layers in zip(scales[1:], copies[1:]):
        scaled = (np.multiply(layer, scale, out=layer, casting="same_kind") for layer in layers)
        params = [np.add(param, layer, out=param) for param, layer in zip(params, scaled)]
    return params


def numpy_gemv(updates, _cut):
    return updates.shares @ widened(updates.rows)


def numpy_median(updates, _cut):
    return np.median(widened(updates.rows), axis=0)


def numpy_sort_trim(updates, cut):
    return np.sort(widened(updates.rows), axis=0)[cut : len(updates.rows) - cut].mean(axis=0)


def numpy_krum(updates, _cut):
    rows = widened(updates.rows)
    products = rows @ rows.T
    squares = np.diag(products)
    return squares[:, None] + squares[None, :] - 2 * products


def numpy_files(updates, out_path):
    sums = np.empty(updates.elements, dtype=np.float32)
    row = np.empty(updates.elements, dtype=updates.rows.dtype)
    for i, path in enumerate(updates.files):
        updates.read_into(row, path)
        for target, layer in zip(updates.layers(sums), updates.layers(row)):
            if i == 0:
                np.multiply(widened(layer), updates.shares[0], out=target)
            else:
                np.add(target, updates.shares[i] * widened(layer), out=target)
    narrowed(sums, updates.rows.dtype).tofile(out_path)
    return sums


def torch_rows(updates):
    if updates.dtype == "BF16":
        return torch.from_numpy(updates.rows.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(updates.rows)


def torch_add(updates, _cut):
    rows = torch_rows(updates)
    sums = torch.empty(updates.elements, dtype=torch.float32)
    for begin, end in updates.cuts:
        target = sums[begin:end]
        if rows.dtype == torch.float32:
            torch.mul(rows[0, begin:end], float(updates.shares[0]), out=target)
        else:  # mul would round to the type of the updates, add_ does not
            target.zero_().add_(rows[0, begin:end], alpha=float(updates.shares[0]))
        for row, share in zip(rows[1:], updates.shares[1:]):
            target.add_(row[begin:end], alpha=float(share))
    return sums


def torch_median(updates, _cut):
    # The lower of the two in the middle, as torch defines it.
    return torch.median(torch_rows(updates).float(), dim=0).values


FORMS = {
    "numpy-add": numpy_add,
    "flower-reduce": flower_reduce,
    "flower-inplace": flower_inplace,
    "numpy-gemv": numpy_gemv,
    "numpy-median": numpy_median,
    "numpy-sort-trim": numpy_sort_trim,
    "numpy-krum": numpy_krum,
    "numpy-files": numpy_files,
    "torch-add": torch_add,
    "torch-median": torch_median,
}


def run(updates, message):
    form = message["form"]
    if form == "flower-inplace":
        argument = [[np.array(widened(layer)) for layer in updates.layers(row)] for row in updates.rows]
    if torch is not None:
        torch.set_num_threads(message["threads"])
    peak = PeakMemory() if message.get("memory") else None
    start = time.perf_counter()
    if form == "flower-inplace":
        result = flower_inplace(updates, None, argument)
    elif form == "numpy-files":
        result = numpy_files(updates, message["outPath"])
    else:
        result = FORMS[form](updates, message["cut"])
    answer = {"ms": (time.perf_counter() - start) * 1000}
    if peak is not None:
        answer["addedBytes"] = peak.added_bytes()
    if "at" in message:
        if isinstance(result, list):
            result = np.concatenate(result)
        elif torch is not None and isinstance(result, torch.Tensor):
            result = result.float().numpy()
        answer["values"] = [float(value) for value in result.ravel()[message["at"]]]
    return answer


class PeakMemory:
    """Memory of this process above what it had, at the highest; None where the system does not tell."""

    def __init__(self):
        try:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
            self.before = memory_bytes("VmRSS")
        except OSError:
            self.before = None

    def added_bytes(self):
        return None if self.before is None else max(0, memory_bytes("VmHWM") - self.before)


def memory_bytes(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name + ":"))


def blas():
    """What multiplies matrices: OpenBLAS says which of its kernels it chose; others are named by NumPy."""
    for path in loaded_libraries():
        if "openblas" not in path and "libblas" not in path:
            continue
        library = ctypes.CDLL(path)
        for prefix, suffix in [("", ""), ("", "64_"), ("scipy_", ""), ("scipy_", "64_")]:
            try:
                config = getattr(library, f"{prefix}openblas_get_config{suffix}")
                core = getattr(library, f"{prefix}openblas_get_corename{suffix}")
                threads = getattr(library, f"{prefix}openblas_get_num_threads{suffix}")
            except AttributeError:
                continue
            config.restype = core.restype = ctypes.c_char_p
            return {"library": config().decode().strip(), "core": core().decode(), "threads": threads()}
    try:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {"library": f"{built['name']} {built['version']}", "core": None, "threads": None}
    except (TypeError, KeyError):
        return {"library": "unknown", "core": None, "threads": None}


def loaded_libraries():
    try:
        with open("/proc/self/maps") as file:
            return sorted({line.split()[-1] for line in file if ".so" in line})
    except OSError:
        return []


def versions():
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": None if torch is None else torch.__version__,
        "blas": blas(),
    }


def main():
    updates = None
    for line in sys.stdin:
        message = json.loads(line)
        try:
            if message["do"] == "versions":
                answer = versions()
            elif message["do"] == "load":
                updates = None  # The old ones go before the new ones come.
                updates = Updates(message["files"], message["weights"])
                answer = {"elements": updates.elements}
            elif message["do"] == "unload":
                updates = None
                answer = {}
            else:
                answer = run(updates, message)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
