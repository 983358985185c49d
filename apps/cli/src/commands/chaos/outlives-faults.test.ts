import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { faultKinds, processesWith } from "@flare-ts/chaos";
import { freePort } from "@flare-ts/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

interface Report {
  readonly ok: boolean;
  readonly seed: number;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
  readonly faults: readonly { readonly number: number; readonly kind: string; readonly outcome: string; readonly detail: string }[];
}

const faults = Number(process.env["FLARE_CHAOS_FAULTS"] ?? faultKinds.length);
const seed = Number(process.env["FLARE_CHAOS_SEED"] ?? 1);

let folder: FlareFolder;
beforeAll(async () => {
  folder = await flareFolder();
  await folder.data("poc", "prepare", "-n", "2", "--port", String(await freePort()));
});
afterAll(() => folder.remove());

describe("a federation under flare chaos", () => {
  it(`ends its job with the bytes of an undisturbed run, counts each update once and leaves nothing, whatever of ${faults} faults happens`, {
    timeout: 120_000 + faults * 30_000,
  }, async () => {
    const report = (await folder.data("chaos", "--faults", String(faults), "--seed", String(seed))) as Report;
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect({ ok: report.ok, seed: report.seed, count: report.faults.length }).toEqual({ ok: true, seed, count: faults });
    // A fault may miss its victim; most must not.
    expect(report.faults.filter(({ outcome }) => outcome === "injected").length).toBeGreaterThan(faults / 2);
    expect((await readdir(join(folder.path, "poc"))).filter((name) => name.startsWith("chaos-"))).toEqual([]);
  });

  it("does the same in cyclic training and in evaluations", { timeout: 300_000 }, async () => {
    const kinds = ["kill-server", "kill-server-job", "kill-site", "kill-site-job"];
    const report = (await folder.data("chaos", "--job", "workflows", "--faults", "12", "--seed", "3", "--kinds", ...kinds)) as Report;
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
  });

  it("makes the models that follow from the journal where no site waits for another", { timeout: 300_000 }, async () => {
    const kinds = ["kill-server", "kill-server-job", "kill-site", "kill-site-job"];
    const report = (await folder.data("chaos", "--job", "async", "--faults", "4", "--seed", "5", "--kinds", ...kinds)) as Report;
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.checks.map(({ name }) => name)).toContain("the models have the bytes that follow from the journal");
  });

  it("stops in good order when it is asked to, and leaves no process and no mount", async () => {
    const chaos = folder.start("chaos", "--faults", "5", "--seed", "2");
    await chaos.printed(/rounds in peace/);
    chaos.child.kill("SIGTERM");
    expect((await chaos.finished).exitCode).toBe(143);
    expect(processesWith(folder.path)).toEqual([]);
    expect(await readFile("/proc/mounts", "utf8")).not.toContain(folder.path);
  });
});
