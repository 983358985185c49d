import type { ClientResources } from "@flare-ts/provision/kit";
import { describe, expect, it } from "vitest";
import type { Logger } from "../logging/logger.js";
import { offeredResources } from "./offered-resources.js";

const machine = { cpus: 8, memoryBytes: 32 * 2 ** 30 };

/** What a site offers that says so much, and what its log says. */
function offerOf(resources: Partial<ClientResources>, environment: Readonly<Record<string, string>> = {}) {
  const warnings: unknown[] = [];
  const logger = { warn: (...words: unknown[]) => warnings.push(words) } as unknown as Logger;
  const written = { gpus: 0, memPerGpuGiB: 0, ...resources } as ClientResources;
  return { offered: offeredResources({ logger, environment, machine }, written), warnings };
}

describe("what a site offers jobs", () => {
  it("is what its process may use where its operator says nothing", () => {
    expect(offerOf({})).toEqual({ offered: { devices: [], memPerGpuGiB: 0, ...machine }, warnings: [] });
  });

  it("is what its operator says, also nothing of it", () => {
    expect(offerOf({ cpus: 0, memoryBytes: 2 ** 30 })).toMatchObject({ offered: { cpus: 0, memoryBytes: 2 ** 30 }, warnings: [] });
  });

  it("may be more than there is, of which the log speaks", () => {
    const { offered, warnings } = offerOf({ cpus: 16, memoryBytes: 64 * 2 ** 30, gpus: 2 }, { CUDA_VISIBLE_DEVICES: "3" });
    expect(offered).toMatchObject({ cpus: 16, memoryBytes: 64 * 2 ** 30, devices: ["3"] });
    expect(warnings).toEqual([
      ["CUDA_VISIBLE_DEVICES names fewer GPUs than num_of_gpus", { named: 1, offered: 2 }],
      ["num_of_cpus is more than this process may use", { offered: 16, here: 8 }],
      ["the resource manager's memory is more than this process may use", { offered: "64 GiB", here: "32 GiB" }],
    ]);
  });
});
