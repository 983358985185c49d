import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { announceScale, createEngine, decodeSafetensors, differenceUpdate, encodeSafetensors, fedAvg } from "@flare-ts/aggregator";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { letGo, writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";

const sites = ["site-1", "site-2", "site-3"];
const roundsOfJob = 2;
const parameters = 500;
const maxWeight = 1000;

describe("three sites whose updates the server adds and does not read", () => {
  let federation: Federation;
  let folder: string;
  let initialModel = "";
  /** Rounds in which site 1 was killed. */
  const kills: number[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-masked-"));
    federation = await createFederation({ sites });
    await federation.startAll();
  });

  afterAll(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("make the very model of the same updates in the clear, and leave nothing at the server that is one of them", async () => {
    const { entries } = await run("undisturbed");
    expect(modelsOf(entries)).toEqual(await modelsInTheClear([sites, sites]));
    expect(stepsOf(entries)).toEqual(["keys-0", "confirm-0", "reveal-0", "confirm-0", "reveal-0"]);
    for (const { event } of entries) {
      if (event.type !== "update-accepted") continue;
      expect(event).toMatchObject({ paramsType: "DIFF", weight: 1 });
    }
  });

  it("make the same when one is killed before it has handed in, then before it confirms, then after that and before it reveals", async () => {
    const disturb: Disturb = async (entry, jobId) => {
      await killTraining(1)(entry, jobId);
      await killBeforeConfirm(2)(entry, jobId);
      await killBeforeReveal(3)(entry, jobId);
    };
    const { entries } = await run("killed", { disturb, rounds: 4, holds: { "site-2": [1, 2, 3] } });
    expect(kills).toEqual([1, 2, 3]);
    expect(modelsOf(entries)).toEqual(await modelsInTheClear([sites, sites, sites, sites]));
    expect(stepsOf(entries)).toEqual(["keys-0", ...[0, 1, 2, 3].flatMap(() => ["confirm-0", "reveal-0"])]);
  });

  it("make the same when the server is killed as each step is open for the first time", async () => {
    const killedAt: string[] = [];
    const disturb: Disturb = async ({ event }) => {
      if (event.type !== "step-opened" || killedAt.includes(event.step)) return;
      killedAt.push(event.step);
      process.kill(await eventually("the server runs", () => federation.pidOf("server")), "SIGKILL");
    };
    const { entries } = await run("server-killed", { disturb });
    expect(killedAt).toEqual(["keys", "confirm", "reveal"]);
    expect(modelsOf(entries)).toEqual(await modelsInTheClear([sites, sites]));
  });

  it("go on without one that is gone before it confirms: the others mask what they have trained anew", async () => {
    const others = sites.slice(0, 2);
    let stopped: number | undefined;
    const disturb: Disturb = async ({ event }, jobId) => {
      if (event.type === "update-accepted" && event.site === "site-3" && event.round === 0) {
        stopped = federation.pidOf("site-3");
        process.kill(stopped ?? 0, "SIGSTOP");
        await letGo(federation, jobId, "site-2", 0);
      }
      if (event.type === "round-closed" && event.round === 0) process.kill(stopped ?? 0, "SIGCONT");
    };
    const { entries, jobId } = await run("gone", { disturb, holds: { "site-2": [0] }, minSites: 2, stepTimeout: 3 });
    expect(stepsOf(entries)).toEqual(["keys-0", "confirm-0", "mask-1", "confirm-1", "reveal-1", "confirm-0", "reveal-0"]);
    expect(modelsOf(entries)).toEqual(await modelsInTheClear([others, sites]));
    const log = await readFile(join(federation.kitOf("site-1"), jobId, "trainer.log"), "utf8");
    expect(log.match(/mean of/g)).toHaveLength(roundsOfJob);
  });

  it("lose a round when one is gone that has confirmed, and go on with the next", async () => {
    let stopped: number | undefined;
    const disturb = beforeReveal(0, (site) => {
      stopped = federation.pidOf(site);
    });
    const { entries } = await run("lost", {
      disturb: async (entry, jobId) => {
        await disturb(entry, jobId);
        if (entry.event.type === "round-closed" && entry.event.round === 0) process.kill(stopped ?? 0, "SIGCONT");
      },
      holds: { "site-2": [0] },
      stepTimeout: 4,
    });
    const closed = entries.flatMap(({ event }) => (event.type === "round-closed" ? [event.contributors] : []));
    expect(closed).toEqual([[], sites]);
    const [first] = await modelsInTheClear([sites]);
    expect(modelsOf(entries)[1]).toBe(first);
  });

  it("send nothing to a job that would have their updates read, where their own policy says so", async () => {
    const policy = { scopes: [{ name: "masked", secure_aggregation: { min_sites: 3 } }, { name: "open" }], default_scope: "masked" };
    await writeFile(join(federation.kitOf("site-1"), "local", "privacy.json"), JSON.stringify(policy));
    await federation.stop("site-1");
    await federation.start("site-1");
    const refused = await run("refused", { meta: {}, minClients: 1, status: /FINISHED/ });
    const left = refused.entries.flatMap(({ event }) => (event.type === "site-left" ? [[event.site, event.error.code]] : []));
    expect(left).toEqual([["site-1", "privacy/aggregation-not-secure"]]);
    const few = await run("few", { minSites: 2, status: /FINISHED/ });
    expect(few.entries.flatMap(({ event }) => (event.type === "site-left" ? [event.site] : []))).toEqual(["site-1"]);
    const { entries } = await run("allowed");
    expect(modelsOf(entries)).toEqual(await modelsInTheClear([sites, sites]));
  });

  /** Kills site 1 while it trains; the watchdog starts it again. */
  function killTraining(round: number): Disturb {
    return async ({ event }, jobId) => {
      if (event.type !== "round-opened" || event.round !== round) return;
      await killSite1(round);
      await letGo(federation, jobId, "site-2", round);
    };
  }

  /** Nothing is confirmed while site 2 is held. */
  function killBeforeConfirm(round: number): Disturb {
    return async ({ event }, jobId) => {
      if (event.type === "update-accepted" && event.round === round && event.site === "site-1") {
        process.kill(federation.pidOf("site-1") ?? 0, "SIGSTOP");
        await letGo(federation, jobId, "site-2", round);
      }
      if (event.type === "step-opened" && event.round === round && event.step === "confirm") await killSite1(round);
    };
  }

  function killBeforeReveal(round: number): Disturb {
    const stop = beforeReveal(round);
    return async (entry, jobId) => {
      await stop(entry, jobId);
      const { event } = entry;
      if (event.type === "step-opened" && event.round === round && event.step === "reveal") await killSite1(round);
    };
  }

  async function killSite1(round: number): Promise<void> {
    process.kill(await eventually("site-1 runs", () => federation.pidOf("site-1")), "SIGKILL");
    kills.push(round);
  }

  /** Stops site 1 when it has confirmed and site 3, which is stopped until then, has not; so nothing is revealed yet. */
  function beforeReveal(round: number, onStopped: (site: string) => void = () => undefined): Disturb {
    return async ({ event }, jobId) => {
      if (event.type === "update-accepted" && event.round === round && event.site === "site-3") {
        process.kill(federation.pidOf("site-3") ?? 0, "SIGSTOP");
        await letGo(federation, jobId, "site-2", round);
      }
      if (event.type === "step-answered" && event.round === round && event.site === "site-1" && event.task === "train.secure-confirm-0") {
        process.kill(federation.pidOf("site-1") ?? 0, "SIGSTOP");
        onStopped("site-1");
        process.kill(federation.pidOf("site-3") ?? 0, "SIGCONT");
      }
    };
  }

  async function run(name: string, init: RunInit = {}) {
    const { disturb = () => undefined, holds = {}, minSites = 3, stepTimeout = 60, minClients = 3, status = /COMPLETED/ } = init;
    const { rounds = roundsOfJob } = init;
    const { meta = { secure_aggregation: { min_sites: minSites, max_weight: maxWeight, step_timeout: stepTimeout } } } = init;
    const job = await mkdtemp(join(folder, `${name}-`));
    const args = { min_clients: Math.min(minClients, minSites) };
    await writeAddOneJob({ folder: job, rounds, parameters, addsOwnNumber: true, holds, minClients, meta, args });
    initialModel = join(job, "app", "initial_model.safetensors");
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(job);
    admin.close();
    const entries = await followJob(federation, jobId, (entry) => disturb(entry, jobId));
    expect(entries.at(-1)?.event).toMatchObject({ type: "job-ended", status: expect.stringMatching(status) });
    return { jobId, entries };
  }

  /** Hashes of the models of all rounds, made of the updates as the trainers make them. */
  async function modelsInTheClear(ofRounds: readonly (readonly string[])[]): Promise<string[]> {
    const hashes: string[] = [];
    let model = initialModel;
    for (const [round, of] of ofRounds.entries()) {
      const scale = await announceScale({ model, maxWeight });
      const { engine } = await createEngine({ nowMs: () => performance.now() }, { engine: "js" });
      const session = await engine.open({ model, strategy: fedAvg(), paramsType: "DIFF", scale });
      for (const site of of) {
        const base = decodeSafetensors(await readFile(model), model).get("weight")?.data as Float32Array;
        const data = base.map((value) => value + Number(site.at(-1)));
        const trained = join(folder, `${site}.safetensors`);
        const source = join(folder, `${site}-${round}.safetensors`);
        await writeFile(trained, encodeSafetensors([["weight", { dtype: "F32", shape: [parameters], data }]]));
        await differenceUpdate({ source: trained, base: model, outPath: source });
        await session.add({ contributor: site, source, weight: 10 + site.length + Number(site.at(-1)), paramsType: "DIFF" });
      }
      const outPath = join(folder, `model-${round}.safetensors`);
      await session.finish({ outPath, base: model });
      hashes.push(
        createHash("sha256")
          .update(await readFile(outPath))
          .digest("hex"),
      );
      model = outPath;
    }
    return hashes;
  }
});

/** Hears every entry of a job's journal, and does something to the federation. */
type Disturb = (entry: JournalEntry, jobId: string) => void | Promise<void>;

interface RunInit {
  readonly disturb?: Disturb;
  /** @default 2 */
  readonly rounds?: number;
  readonly holds?: Readonly<Record<string, readonly number[]>>;
  readonly minSites?: number;
  readonly minClients?: number;
  /** Seconds. */
  readonly stepTimeout?: number;
  readonly meta?: Readonly<Record<string, never>>;
  /** How it ends. @default it is completed */
  readonly status?: RegExp;
}

/** Steps that were asked of sites, with the attempt of each. */
function stepsOf(entries: readonly JournalEntry[]): string[] {
  return entries.flatMap(({ event }) => (event.type === "step-opened" ? [`${event.step}-${event.attempt}`] : []));
}

function modelsOf(entries: readonly JournalEntry[]): string[] {
  return entries.flatMap(({ event }) => (event.type === "round-closed" ? [event.model.hash] : []));
}
