import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gpuNames } from "./gpu-names.js";
import { type JobResources, ResourcePool, type ResourceTurn } from "./resource-pool.js";
import { giveByReference, type JobInRow } from "./resource-pool.reference.js";

const offered = { gpus: 3, cpus: 5, memoryBytes: 7 };
type Amounts = typeof offered;

interface Job extends JobInRow {
  readonly turn: ResourceTurn;
  readonly abort: AbortController;
  has: JobResources | undefined;
  failure: unknown;
}

/** A pool and the jobs at it, in the order in which they came. */
class Site {
  readonly pool = new ResourcePool({
    site: "site-1",
    devices: gpuNames(offered.gpus, undefined),
    memPerGpuGiB: 0,
    cpus: offered.cpus,
    memoryBytes: offered.memoryBytes,
  });
  row: Job[] = [];
  #count = 0;

  enter(): Job {
    const who = `job-${this.#count++}`;
    const turn = this.pool.enter(who);
    const job = { who, turn, abort: new AbortController(), asked: undefined, hasAll: false, has: undefined, failure: undefined };
    this.row.push(job);
    return job;
  }

  ask(job: Job, asked: Amounts): void {
    if (job.asked !== undefined) return;
    job.asked = asked;
    void job.turn
      .take({ ...asked, memPerGpuGiB: 0 }, job.abort.signal, () => undefined)
      .then(
        (has) => Object.assign(job, { has }),
        (failure: unknown) => Object.assign(job, { failure }),
      );
  }

  leave(job: Job, isAborted: boolean): void {
    this.row = this.row.filter((one) => one !== job);
    if (isAborted) job.abort.abort(new Error("over"));
    job.turn.leave();
  }

  /** Nothing is given twice, or by halves, and each job has it by the rule. */
  async check(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    giveByReference(this.row, offered);
    expect(this.row.map(({ who, has }) => [who, has !== undefined])).toEqual(this.row.map(({ who, hasAll }) => [who, hasAll]));
    const held = this.row.flatMap(({ has, asked }) => (has === undefined || asked === undefined ? [] : [{ has, asked }]));
    for (const { has, asked } of held) expect({ ...has, gpus: has.gpus.length }).toEqual(asked);
    const devices = held.flatMap(({ has }) => has.gpus);
    expect(new Set(devices).size).toBe(devices.length);
    const sum = (kind: keyof Amounts): number => held.reduce((total, { asked }) => total + asked[kind], 0);
    for (const kind of ["gpus", "cpus", "memoryBytes"] as const) expect(sum(kind)).toBeLessThanOrEqual(offered[kind]);
    const { gpus, forJobs } = this.pool.offer();
    expect([gpus.free, forJobs.freeCpus, forJobs.freeMemoryBytes]).toEqual([
      offered.gpus - sum("gpus"),
      offered.cpus - sum("cpus"),
      offered.memoryBytes - sum("memoryBytes"),
    ]);
    expect(this.row.map(({ failure }) => failure)).toEqual(this.row.map(() => undefined));
  }
}

describe("a site's resources, whoever comes, asks, leaves and is aborted in whatever order", () => {
  it("go to jobs by the rule, never more than there is, never by halves", async () => {
    await fc.assert(
      fc.asyncProperty(histories(), async (steps) => void (await live(steps))),
      { numRuns: 150 },
    );
  });

  it("come to everybody in the end: when those that have some leave, the others follow, the first of them each time", async () => {
    await fc.assert(
      fc.asyncProperty(histories(), async (steps) => {
        const site = await live(steps);
        for (const job of site.row) site.ask(job, { gpus: 1, cpus: 1, memoryBytes: 1 });
        await site.check();
        while (site.row.length > 0) {
          const [first] = site.row;
          expect(first?.has).toBeDefined();
          const holder = site.row.findLast(({ has }) => has !== undefined);
          if (holder !== undefined) site.leave(holder, false);
          await site.check();
        }
      }),
      { numRuns: 100 },
    );
  });
});

type Step =
  | { readonly kind: "enter"; readonly asked: Amounts | undefined }
  | { readonly kind: "ask"; readonly at: number; readonly asked: Amounts }
  | { readonly kind: "leave"; readonly at: number; readonly isAborted: boolean };

async function live(steps: readonly Step[]): Promise<Site> {
  const site = new Site();
  for (const step of steps) {
    if (step.kind === "enter") {
      const job = site.enter();
      if (step.asked !== undefined) site.ask(job, step.asked);
    } else {
      const job = site.row[step.at % Math.max(1, site.row.length)];
      if (job === undefined) continue;
      if (step.kind === "ask") site.ask(job, step.asked);
      else site.leave(job, step.isAborted);
    }
    await site.check();
  }
  return site;
}

function histories(): fc.Arbitrary<readonly Step[]> {
  const asked = fc.record({ gpus: upTo(offered.gpus), cpus: upTo(offered.cpus), memoryBytes: upTo(offered.memoryBytes) });
  const at = fc.nat(20);
  return fc.array(
    fc.oneof<fc.MaybeWeightedArbitrary<Step>[]>(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("enter" as const), asked: fc.option(asked, { nil: undefined, freq: 3 }) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("ask" as const), at, asked }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), at, isAborted: fc.boolean() }) },
    ),
    { minLength: 5, maxLength: 40 },
  );
}

/** Often nothing, or all. */
function upTo(most: number): fc.Arbitrary<number> {
  return fc.oneof(fc.constant(0), fc.constant(most), fc.integer({ min: 0, max: most }));
}
