import { afterEach, describe, expect, it, vi } from "vitest";
import { type TrainerCommandInit, trainerCommand } from "./trainer-command.js";

interface Has {
  readonly gpus?: readonly string[];
  readonly cpus?: number;
}

/** The environment of a trainer that a job starts by a command, with its own settings in `env`. */
async function environmentOf(has: Has, env: Readonly<Record<string, string>> = {}): Promise<Readonly<Record<string, string>>> {
  const init = {
    settings: { env, launch: { kind: "command", command: ["true"] } },
    job: { appFolder: "/job/app", ...has },
    bootstrapPath: "/job/bootstrap.json",
    temporaryFolder: "/job/tmp",
    strippedFolder: "/job/stripped",
    secrets: {},
  };
  return (await trainerCommand(init as unknown as TrainerCommandInit)).env;
}

async function environment(gpus: readonly string[] | undefined, env: Readonly<Record<string, string>>) {
  const { CUDA_VISIBLE_DEVICES: devices, CUDA_DEVICE_ORDER: order } = await environmentOf(gpus === undefined ? {} : { gpus }, env);
  return { devices, order };
}

describe("GPUs that a trainer sees", () => {
  afterEach(() => vi.unstubAllEnvs());
  const own = { CUDA_VISIBLE_DEVICES: "7", CUDA_DEVICE_ORDER: "PCI_BUS_ID" };

  it("are those that its job was given, counted as the site counts them, whatever the job's settings say", async () => {
    vi.stubEnv("CUDA_DEVICE_ORDER", undefined);
    expect(await environment(["0", "2"], own)).toEqual({ devices: "0,2", order: undefined });
    vi.stubEnv("CUDA_DEVICE_ORDER", "FASTEST_FIRST");
    expect(await environment(["0", "2"], own)).toEqual({ devices: "0,2", order: "FASTEST_FIRST" });
  });

  it("are what its job says where that asked for none", async () => {
    expect(await environment(undefined, own)).toEqual({ devices: "7", order: "PCI_BUS_ID" });
  });
});

describe("threads that a trainer is told to compute with", () => {
  afterEach(() => vi.unstubAllEnvs());
  const threads = async (has: Has, env?: Readonly<Record<string, string>>) => {
    const { OMP_NUM_THREADS: omp, MKL_NUM_THREADS: mkl, OPENBLAS_NUM_THREADS: openBlas } = await environmentOf(has, env);
    return [omp, mkl, openBlas];
  };

  it("are as many as its job asked for CPUs, but for what the site or the job itself says", async () => {
    for (const name of ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]) vi.stubEnv(name, undefined);
    expect(await threads({ cpus: 4 })).toEqual(["4", "4", "4"]);
    expect(await threads({})).toEqual([undefined, undefined, undefined]);
    vi.stubEnv("OMP_NUM_THREADS", "2");
    expect(await threads({ cpus: 4 }, { MKL_NUM_THREADS: "3" })).toEqual(["2", "3", "4"]);
    expect(await threads({})).toEqual(["2", undefined, undefined]);
  });
});
