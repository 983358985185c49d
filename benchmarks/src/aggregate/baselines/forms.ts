/** A way to aggregate in Python, as `python-forms.py` knows it. */
export interface BaselineForm {
  /** Which library does it. */
  readonly library: "numpy" | "torch";
  /** In words: what is run. */
  readonly what: string;
  /** What it computes. */
  readonly rule: "mean" | "median" | "lower-median" | "trimmed-mean" | "distances";
  /** Whether it is told how many threads to use, uses as many as the BLAS library takes, or one. */
  readonly threads: "told" | "blas" | "one";
  /** Whether it reads files and writes one instead of having all updates in memory. */
  readonly readsFiles: boolean;
  /** How many times the size of all updates it takes while it runs, beside the updates themselves. */
  readonly memoryFactor: number;
}

const mean = { rule: "mean", threads: "one", readsFiles: false, memoryFactor: 0.5 } as const;

const rows = {
  "numpy-add": { ...mean, library: "numpy", what: "NumPy: np.add(acc, w * x, out=acc)" },
  "flower-reduce": { ...mean, library: "numpy", what: "NumPy: Flower's aggregate", memoryFactor: 1.5 },
  "flower-inplace": { ...mean, library: "numpy", what: "NumPy: Flower's aggregate_inplace", memoryFactor: 1.5 },
  "numpy-gemv": { ...mean, library: "numpy", what: "NumPy: w @ X, one array", threads: "blas" },
  "numpy-files": { ...mean, library: "numpy", what: "NumPy: readinto, np.add, tofile", readsFiles: true },
  "numpy-median": { ...mean, library: "numpy", what: "NumPy: np.median", rule: "median", memoryFactor: 2 },
  "numpy-sort-trim": {
    ...mean,
    library: "numpy",
    what: "NumPy: np.sort and the mean of the middle",
    rule: "trimmed-mean",
    memoryFactor: 2,
  },
  "numpy-krum": { ...mean, library: "numpy", what: "NumPy: distances by X @ X.T", rule: "distances", threads: "blas" },
  "torch-add": { ...mean, library: "torch", what: "PyTorch: acc.add_(x, alpha=w)", threads: "told" },
  "torch-median": {
    ...mean,
    library: "torch",
    what: "PyTorch: torch.median, the lower one",
    rule: "lower-median",
    threads: "told",
    memoryFactor: 2,
  },
} as const satisfies Record<string, BaselineForm>;

/** The forms by name. */
export type BaselineName = keyof typeof rows;

/** All names. */
export const baselineNames = Object.keys(rows) as readonly BaselineName[];

/** What a form is. */
export function baselineForm(name: BaselineName): BaselineForm {
  return rows[name];
}
