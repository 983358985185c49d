import { afterEach, describe, expect, it, vi } from "vitest";
import { type TrainerCommandInit, trainerCommand } from "./trainer-command.js";

/** The environment of a trainer that a job starts by a command, with its own settings in `env`. */
async function environment(gpus: readonly string[] | undefined, env: Readonly<Record<string, string>>) {
  const init = {
    settings: { env, launch: { kind: "command", command: ["true"] } },
    job: { appFolder: "/job/app", ...(gpus === undefined ? {} : { gpus }) },
    bootstrapPath: "/job/bootstrap.json",
    temporaryFolder: "/job/tmp",
    strippedFolder: "/job/stripped",
    secrets: {},
  };
  const { CUDA_VISIBLE_DEVICES: devices, CUDA_DEVICE_ORDER: order } = (await trainerCommand(init as unknown as TrainerCommandInit)).env;
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
