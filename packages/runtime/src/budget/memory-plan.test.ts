import { describe, expect, it } from "vitest";
import { planMemory } from "./memory-plan.js";

const mebibyte = 2 ** 20;
const plan = (kind: "server" | "client", mebibytes: number | undefined) =>
  planMemory({ kind, maxBytes: mebibytes === undefined ? undefined : mebibytes * mebibyte, machineBytes: 8192 * mebibyte });

describe("the memory of a participant", () => {
  it("is divided so that all that may run at once stays within it", () => {
    for (const mebibytes of [280, 300, 400, 512, 1024, 4096, 65_536]) {
      const { jobs, transfers, engineThreads = 0 } = plan("server", mebibytes);
      expect(144 + jobs * (112 + 24 * (engineThreads - 1)) + transfers * 12).toBeLessThanOrEqual(mebibytes);
      expect(jobs).toBeGreaterThanOrEqual(1);
      expect(transfers).toBeGreaterThanOrEqual(2);
    }
    expect(plan("server", 512)).toMatchObject({ jobs: 1, transfers: 19, engineThreads: 2 });
    expect(plan("client", 512)).toMatchObject({ jobs: 2, transfers: 18 });
  });

  it("bounds transfers, and nothing else, where no limit was set", () => {
    expect(plan("server", undefined)).toMatchObject({ jobs: Number.POSITIVE_INFINITY, transfers: 170, engineThreads: undefined });
  });

  it("is refused where one job has no room, with what is needed", () => {
    const refused = expect.objectContaining({ code: "runtime/budget-too-small", message: expect.stringContaining("at least 280 MiB") });
    expect(() => plan("server", 279)).toThrow(refused);
  });
});
