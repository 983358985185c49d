import { type BenchResult, type Figure, type Point, resultSchemaName, resultVersion } from "./result.ts";

export interface SampleResultInit {
  /** Times of engines are divided by this. @default 1 */
  readonly engineSpeedUp?: number;
  /** Times of everything are divided by this, as on a faster machine. @default 1 */
  readonly machineSpeedUp?: number;
  /** @default 5 */
  readonly runs?: number;
  readonly cpu?: string;
}

const clients = [8, 2, 4, 16, 32];
const params = [1e5, 1e6, 1e7];

/** A result such as a run with two sweeps gives, with made-up figures of the right sizes: the same for the same arguments. */
export function sampleResult({
  engineSpeedUp = 1,
  machineSpeedUp = 1,
  runs = 5,
  cpu = "Example 9000",
}: SampleResultInit = {}): BenchResult {
  const sizes = [...clients.map((count) => [count, 25_000_000] as const), ...params.map((count) => [8, count] as const)];
  return {
    schema: resultSchemaName,
    version: resultVersion,
    environment: {
      date: "2026-11-25T18:00:00.000Z",
      commit: "0123456789abcdef0123456789abcdef01234567",
      isModified: false,
      software: "0.1.0",
      node: "v26.10.0",
      os: "linux 6.18.0 x64",
      cpu,
      cores: 2,
      memoryGiB: 24,
    },
    commandLine: "npm run bench -- aggregate --sweep clients=2,4,8,16,32 --sweep params=1e5,1e6,1e7",
    settings: { layout: "160", dtype: "float32", compression: "none", strategy: "fed-avg", strategyOptions: {}, runs },
    devices: { "cpu-wasm-exact": "cpu, WebAssembly with vector instructions, 2 threads" },
    python: {
      command: "python3",
      python: "3.14.0",
      numpy: "2.4.6",
      torch: "2.13.0+cpu",
      blas: { library: "OpenBLAS 0.3.31", core: "Zen", threads: 2 },
    },
    points: sizes.map(([count, size]) => samplePoint(count, size, { engineSpeedUp, machineSpeedUp, runs })),
    notes: ["PyTorch: torch.median was left out: <not asked for>"],
  };
}

function samplePoint(
  count: number,
  size: number,
  { engineSpeedUp, machineSpeedUp, runs }: { readonly engineSpeedUp: number; readonly machineSpeedUp: number; readonly runs: number },
): Point {
  const updateBytes = 4 * size;
  const bytes = count * updateBytes;
  const figure = (id: string, gbPerSecond: number, rest: Partial<Figure> = {}): Figure => {
    const group = id.startsWith("machine") ? "machine" : id.startsWith("baseline") ? "baseline" : "engine";
    // A fixed cost of 0.2 ms, and runs that differ by a few per cent.
    const median = (0.2 + bytes / 1e6 / gbPerSecond) / machineSpeedUp / (group === "engine" ? engineSpeedUp : 1);
    const samplesMs = Array.from({ length: runs }, (_, run) => median * (1 + 0.03 * (((run * 7 + id.length) % 5) - 2)));
    return {
      id,
      group,
      what: id,
      source: "memory",
      threads: Number(/\/t(\d+)/.exec(id)?.[1] ?? 1),
      bytes,
      samplesMs,
      against: {},
      ...rest,
    };
  };
  const error = (relative: number): Figure["error"] => ({ absolute: relative / 4, relative, elements: 2000 });
  const against = (threads: number): Figure["against"] => ({
    numpy: "baseline/numpy-add/t1",
    torch: `baseline/torch-add/t${threads}`,
    read: `machine/read/t${threads}`,
  });
  const mean = (mode: string, threads: number, speed: number): Figure =>
    figure(`kernels/mean/${mode}/t${threads}`, speed, {
      what: "weighted mean",
      engine: "cpu-wasm",
      mode,
      strategy: "fed-avg",
      against: against(threads),
      error: error(mode === "fast" ? 1.4e-7 : 5.8e-8),
    });
  const session = (mode: string, threads: number, speed: number): readonly Figure[] => {
    const head = { source: "files", engine: `cpu-wasm-${mode}`, mode, strategy: "fed-avg" } as const;
    const base = `engine/cpu-wasm-${mode}/fed-avg/t${threads}`;
    return [
      figure(`${base}/add`, 2.4 * speed, { ...head, what: "add: read, check" }),
      figure(`${base}/finish`, 1.7 * speed, { ...head, what: "finish: read, combine, hash, write" }),
      figure(`${base}/all`, speed, {
        ...head,
        what: "whole session over files, into an old one",
        against: { numpy: "baseline/numpy-files/t1", read: "machine/files/t1" },
        error: error(mode === "fast" ? 1.4e-7 : 5.8e-8),
      }),
    ];
  };
  const figures = [
    figure("machine/read/t1", 25, { what: "read" }),
    figure("machine/triad/t1", 22, { what: "triad: a = b + s * c" }),
    figure("machine/read/t2", 38, { what: "read" }),
    figure("machine/triad/t2", 33, { what: "triad: a = b + s * c" }),
    figure("machine/files/t1", 6.1, { what: "read files from the page cache", source: "files" }),
    figure("baseline/numpy-add/t1", 6.9, { what: "NumPy: np.add(acc, w * x, out=acc)", error: error(2.6e-7) }),
    figure("baseline/torch-add/t1", 9.2, { what: "PyTorch: acc.add_(x, alpha=w)", error: error(1.9e-7) }),
    figure("baseline/torch-add/t2", 11.4, { what: "PyTorch: acc.add_(x, alpha=w)", error: error(1.9e-7) }),
    figure("baseline/flower-reduce/t1", 4.8, { what: "NumPy: Flower's aggregate", error: error(2.4e-7) }),
    figure("baseline/numpy-files/t1", 2.4, { what: "NumPy: readinto, np.add, tofile", source: "files", error: error(2.6e-7) }),
    mean("exact", 1, 7.9),
    mean("exact", 2, 14.1),
    mean("fast", 1, 16.8),
    mean("fast", 2, 24.9),
    mean("float64", 1, 9.7),
    mean("float64", 2, 14.8),
    ...session("exact", 1, 1.6),
    ...session("exact", 2, 1.9),
    ...session("fast", 2, 2.2),
  ];
  return {
    clients: count,
    params: size,
    tensors: 160,
    updateBytes,
    distinctFiles: count,
    figures,
    memory: [
      {
        id: "baseline/numpy-add/t1",
        group: "baseline",
        what: "NumPy: np.add(acc, w * x, out=acc)",
        kernelBytes: null,
        addedBytes: Math.round(1.1 * updateBytes),
      },
      {
        id: "baseline/torch-add/t1",
        group: "baseline",
        what: "PyTorch: acc.add_(x, alpha=w)",
        kernelBytes: null,
        addedBytes: Math.round(1.04 * updateBytes),
      },
      {
        id: "engine/cpu-wasm-exact/fed-avg/t1/all",
        group: "engine",
        what: "cpu-wasm-exact, threads: 1",
        kernelBytes: 37_700_000,
        addedBytes: 46_000_000,
      },
      {
        id: "engine/cpu-wasm-exact/fed-avg/t2/all",
        group: "engine",
        what: "cpu-wasm-exact, threads: 2",
        kernelBytes: 37_700_000,
        addedBytes: 52_000_000,
      },
    ],
  };
}
