import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface NumpyFigures {
  readonly version: string;
  /** Milliseconds of `np.add(acc, w * x, out=acc)` over all updates, in float32. */
  readonly times: readonly number[];
}

/** Reads the same files, flat, and sums them; the header of a file is left out and its elements taken as float32. */
const program = `
import json, sys, time
import numpy as np
runs, files = int(sys.argv[1]), sys.argv[2:]
def load(path):
    with open(path, "rb") as f:
        skip = 8 + int.from_bytes(f.read(8), "little")
    return np.fromfile(path, dtype=np.float32, offset=skip)
xs = [load(path) for path in files]
acc = np.zeros_like(xs[0])
times = []
for run in range(runs + 1):
    start = time.perf_counter()
    acc[:] = 0
    for i, x in enumerate(xs):
        np.add(acc, np.float32((100 + i) / 1000) * x, out=acc)
    if run > 0:
        times.append((time.perf_counter() - start) * 1000)
print(json.dumps({"version": np.__version__, "times": times}))
`;

/** Measures NumPy on the same data; `undefined` where python3 or NumPy is not there. */
export async function measureNumpy(files: readonly string[], runs: number): Promise<NumpyFigures | undefined> {
  const python = promisify(execFile);
  try {
    await python("python3", ["-c", "import numpy"]);
  } catch {
    return undefined;
  }
  const { stdout } = await python("python3", ["-c", program, String(runs), ...files]);
  return JSON.parse(stdout) as NumpyFigures;
}
