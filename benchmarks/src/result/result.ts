import { z } from "zod";

/** What the files of results are, and which form of them this is: raised by every change that an older reader would misread. */
export const resultSchemaName = "flare-ts/benchmark/aggregate";
export const resultVersion = 1;

const count = z.int().nonnegative();
const bytes = z.int().nonnegative();
const milliseconds = z.number().nonnegative();

const environmentSchema = z.strictObject({
  date: z.iso.datetime(),
  commit: z.string(),
  /** Whether files differ from the commit. */
  isModified: z.boolean(),
  software: z.string(),
  node: z.string(),
  os: z.string(),
  cpu: z.string(),
  cores: count,
  memoryGiB: z.number(),
});

const errorSchema = z.strictObject({
  absolute: z.number().nonnegative(),
  relative: z.number().nonnegative(),
  elements: count,
});

const figureSchema = z.strictObject({
  /** Unique within a point, and the same in every run of the same thing. */
  id: z.string().min(1),
  group: z.enum(["machine", "baseline", "engine"]),
  /** What is done, in words. */
  what: z.string(),
  /** Where the updates lie at the start: in memory, in files of the page cache, or in buffers that are handed over piece by piece. */
  source: z.enum(["memory", "files", "chunks"]),
  threads: count,
  /** Bytes of all updates, once; for the machine, the bytes that are moved. */
  bytes,
  engine: z.string().optional(),
  mode: z.string().optional(),
  strategy: z.string().optional(),
  /** What a baseline computes, such as `mean`. */
  rule: z.string().optional(),
  /** One for each run, in the order of the runs: those at the same place stand beside each other in time. */
  samplesMs: z.array(milliseconds).min(1),
  /** Ids of the figures of the same point that this one is held against. */
  against: z.strictObject({ numpy: z.string().optional(), torch: z.string().optional(), read: z.string().optional() }),
  /** Largest distance from exact arithmetic on a sample of elements. */
  error: errorSchema.optional(),
});

const memorySchema = z.strictObject({
  /** Of the figure that it belongs to. */
  id: z.string().min(1),
  group: z.enum(["baseline", "engine"]),
  what: z.string(),
  /** Memory of the kernels; `null` for what has none. */
  kernelBytes: bytes.nullable(),
  /**
   * Peak memory of the process above that before it began: with nothing loaded for engines over files, with all updates loaded for
   * baselines. `null` where the system does not tell.
   */
  addedBytes: bytes.nullable(),
});

const pointSchema = z.strictObject({
  clients: count,
  /** Floating elements of one update. */
  params: count,
  tensors: count,
  /** Bytes of one update's tensors. */
  updateBytes: bytes,
  /** Files with contents of their own; the others are further names of these, where the disk has no room. */
  distinctFiles: count,
  figures: z.array(figureSchema).min(1),
  memory: z.array(memorySchema),
});

/** The form of a file of results. */
export const resultSchema = z
  .strictObject({
    schema: z.literal(resultSchemaName),
    version: z.literal(resultVersion),
    environment: environmentSchema,
    commandLine: z.string(),
    settings: z.strictObject({
      layout: z.string(),
      dtype: z.string(),
      /** What engines got the updates compressed to. */
      compression: z.string(),
      strategy: z.string(),
      strategyOptions: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      runs: count,
    }),
    /** What the engines ran on, by their names. */
    devices: z.record(z.string(), z.string()),
    /** What the baselines ran with; `null` where there was no Python for them. */
    python: z
      .strictObject({
        command: z.string(),
        python: z.string(),
        numpy: z.string(),
        torch: z.string().nullable(),
        blas: z.strictObject({ library: z.string(), core: z.string().nullable(), threads: count.nullable() }),
      })
      .nullable(),
    /** The first is the one that tables and bars are about. */
    points: z.array(pointSchema).min(1),
    /** What was left out, and why. */
    notes: z.array(z.string()),
  })
  .check((context) => {
    for (const [at, { figures }] of context.value.points.entries()) {
      const ids = new Set(figures.map(({ id }) => id));
      const path = (i: number, key: string): PropertyKey[] => ["points", at, "figures", i, key];
      for (const [i, { against, samplesMs }] of figures.entries()) {
        const missing = Object.values(against).find((id) => id !== undefined && !ids.has(id));
        if (missing !== undefined)
          context.issues.push({ code: "custom", input: missing, path: path(i, "against"), message: `names no figure: ${missing}` });
        if (samplesMs.length !== context.value.settings.runs) {
          context.issues.push({
            code: "custom",
            input: samplesMs.length,
            path: path(i, "samplesMs"),
            message: "has not one sample for each run",
          });
        }
      }
      if (ids.size !== figures.length)
        context.issues.push({ code: "custom", input: ids.size, path: ["points", at, "figures"], message: "names an id twice" });
    }
  });

/** Everything that one run of the benchmark found out. */
export type BenchResult = z.infer<typeof resultSchema>;

/** The figures for one number of updates of one size. */
export type Point = BenchResult["points"][number];

/** How long one thing took, run by run. */
export type Figure = Point["figures"][number];

/** How much memory one thing took. */
export type MemoryFigure = Point["memory"][number];
