import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { offered, ResourceRow, type Step } from "./resource-row.test-support.js";

describe("a site's resources, whoever comes, asks, leaves and is aborted in whatever order", () => {
  it("go to jobs by the rule, never more than there is, never by halves", async () => {
    const property = fc.asyncProperty(histories(), async (steps) => {
      expect((await live(steps)).faults).toEqual([]);
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it("come to everybody in the end: when one that has some leaves, others follow, and the first of them always has its own", async () => {
    const property = fc.asyncProperty(histories(), fc.array(fc.nat(20), { maxLength: 20 }), async (steps, picks) => {
      const row = await live(steps);
      const all = { gpus: 1, cpus: 1, memoryBytes: 1 };
      for (const at of row.jobs.keys()) await row.go({ kind: "ask", at, asked: all });
      for (let turn = 0; row.jobs.length > 0; turn += 1) {
        const holders = [...row.jobs.entries()].flatMap(([at, { has }]) => (has === undefined ? [] : [at]));
        expect(holders[0]).toBe(0);
        await row.go({ kind: "leave", at: holders[(picks[turn] ?? 0) % holders.length] ?? 0, isAborted: false });
      }
      expect(row.faults).toEqual([]);
    });
    await fc.assert(property, { numRuns: 150 });
  });
});

async function live(steps: readonly Step[]): Promise<ResourceRow> {
  const row = new ResourceRow();
  for (const step of steps) await row.go(step);
  return row;
}

function histories(): fc.Arbitrary<readonly Step[]> {
  const asked = fc.record({ gpus: upTo(offered.gpus), cpus: upTo(offered.cpus), memoryBytes: upTo(offered.memoryBytes) });
  const at = fc.nat(20);
  const step = fc.oneof<fc.MaybeWeightedArbitrary<Step>[]>(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("enter" as const), asked: fc.option(asked, { nil: undefined, freq: 3 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("ask" as const), at, asked }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), at, isAborted: fc.boolean() }) },
  );
  return fc.array(step, { minLength: 5, maxLength: 40 });
}

/** Often nothing, or all. */
function upTo(most: number): fc.Arbitrary<number> {
  return fc.oneof(fc.constant(0), fc.constant(most), fc.integer({ min: 0, max: most }));
}
