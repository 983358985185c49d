import { rm } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { LocalPsiSite, plainIntersection, randomSets } from "../psi/local-psi.test-support.js";
import { pointBytes, psiHeader } from "../psi/psi-file.js";
import { emptyModel } from "../workflow/statistics-rounds.js";
import type { HostedTask, MemoryJobHost, SiteAnswer } from "./memory-job-host.test-support.js";
import { decisionsOf, runHosted } from "./run-hosted.test-support.js";
import { smallJob } from "./small-job.test-support.js";

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

type Sites = ReadonlyMap<string, LocalPsiSite>;
type Train = (task: HostedTask, host: MemoryJobHost) => Promise<SiteAnswer>;

async function sitesOf(sets: readonly (readonly string[])[]): Promise<Sites> {
  const sites = await Promise.all(sets.map((set) => LocalPsiSite.open(set)));
  folders.push(...sites.map(({ folder }) => folder));
  return new Map(sites.map((site, i) => [`site-${i + 1}`, site]));
}

/** One after the other, as a site's job process does it. */
function trainerOf(sites: Sites): Train {
  const turns = new Map<string, Promise<unknown>>();
  return (task) => {
    const answer = (turns.get(task.site) ?? Promise.resolve()).then(async (): Promise<SiteAnswer> => {
      const made = await sites.get(task.site)?.answer({ model: task.model, round: task.round, totalRounds: task.totalRounds });
      if (made === undefined) throw new Error(`there is no ${task.site}`);
      return { ...made, paramsType: "FULL", weight: 1 };
    });
    turns.set(task.site, answer);
    return answer;
  };
}

async function hostOf(sites: Sites, train: Train = trainerOf(sites)): Promise<MemoryJobHost> {
  const workflow = "nvflare.app_common.psi.dh_psi.dh_psi_controller.DhPSIController";
  const host = await smallJob({ workflow, args: { initial_model: null }, sites: [...sites.keys()], train });
  folders.push(host.folder);
  return host;
}

const found = (sites: Sites) => [...sites.values()].map(({ intersection }) => intersection);

describe("a private set intersection", () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed))("is what plain sets have in common, at each site: %i", async (seed) => {
    const sets = randomSets(seed, 2 + (seed % 4), 1 + seed * 5);
    const sites = await sitesOf(sets);
    const host = await hostOf(sites);
    expect(await runHosted(host)).toEqual({ exitStatus: 0 });
    const common = plainIntersection(sets);
    expect(found(sites)).toEqual(sets.map(() => common));
    expect(host.end).toEqual({ model: emptyModel, reason: `intersection of ${sets.length} sites` });
  });

  it("is empty where nothing is everywhere", async () => {
    const sites = await sitesOf([
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
    ]);
    await runHosted(await hostOf(sites));
    expect(found(sites)).toEqual([[], [], []]);
  });

  it("shows nobody a point that another round, list or site has shown, nor an order", async () => {
    const sets = randomSets(3, 3, 60);
    const sites = await sitesOf(sets);
    const seen: string[] = [];
    const host = await hostOf(sites, async (task, own) => {
      const answer = await trainerOf(sites)(task, own);
      if (typeof answer !== "string" && "bytes" in answer && task.round < 2) seen.push(...pointsIn(answer.bytes));
      return answer;
    });
    await runHosted(host);
    // Two rounds of lists of three sites, before the last one, in which those that have an identifier in common show the same point for it.
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(2 * sets.reduce((sum, set) => sum + new Set(set).size, 0));
  });

  it("tells a site no more than its own list, points under keys of others, and bits for the list that it was given", async () => {
    const sets = randomSets(4, 3, 30);
    const sites = await sitesOf(sets);
    const given: string[] = [];
    const host = await hostOf(sites, (task, own) => {
      if (task.site === "site-1") given.push(`${task.round} ${kindOf(task.model)}`);
      return trainerOf(sites)(task, own);
    });
    await runHosted(host);
    expect(given).toEqual(["0 selection", "1 points", "2 points", "3 selection", "4 selection", "5 selection"]);
    expect(host.eventsOf("round-opened").map(({ task, asks, totalRounds }) => [task, asks, totalRounds])).toEqual(
      Array.from({ length: 6 }, () => ["PSI", "intersection", 6]),
    );
  });

  it("ends without one when a site is lost, and no other site learns what the rest have in common", async () => {
    const sites = await sitesOf(randomSets(5, 3, 30));
    const host = await hostOf(sites, (task, own) =>
      task.site === "site-2" && task.round === 2
        ? Promise.resolve({ error: { code: "client-api/trainer-died", message: "it is broken" } })
        : trainerOf(sites)(task, own),
    );
    expect((await runHosted(host)).exitStatus).not.toBe(0);
    expect(host.end).toMatchObject({
      error: {
        code: "runtime/quorum-lost",
        message: expect.stringMatching(/needs all its sites.*only 2 can answer.*it is broken/) as string,
      },
    });
    expect(found(sites)).toEqual([undefined, undefined, undefined]);
  });

  it.each([
    ["no points", new Uint8Array(8), /holds no blinded identifiers/],
    ["too many", Buffer.concat([psiHeader({ kind: "points", count: 1 }), Buffer.alloc(pointBytes)]), /has 1 of what there are/],
  ])("ends when a site answers with %s", async (_, bytes, message) => {
    const sites = await sitesOf(randomSets(6, 3, 30));
    const host = await hostOf(sites, (task, own) =>
      task.site === "site-3" && task.round === 1
        ? Promise.resolve({ bytes, paramsType: "FULL", weight: 1, metrics: {} })
        : trainerOf(sites)(task, own),
    );
    await runHosted(host);
    expect(host.eventsOf("task-failed").map(({ site, error }) => [site, error.code])).toEqual([["site-3", "client-api/result-invalid"]]);
    expect(host.eventsOf("task-failed")[0]?.error.message).toMatch(message);
    expect(found(sites)).toEqual([undefined, undefined, undefined]);
  });

  it("is of two sites at least", async () => {
    const sites = await sitesOf([["a"]]);
    const host = await hostOf(sites);
    await runHosted(host);
    expect(host.end).toMatchObject({ error: { message: expect.stringMatching(/two at least: 2; only 1/) as string } });
  });

  it("is the same when its process is killed at any entry of the journal", async () => {
    const sites = await sitesOf(randomSets(7, 3, 12));
    // Answers in the order of the sites, so that journals can be compared.
    const inTurn = (): Train => {
      let turn: Promise<unknown> = Promise.resolve();
      const train = trainerOf(sites);
      return (task, own) => {
        const answer = turn.then(() => train(task, own));
        turn = answer;
        return answer;
      };
    };
    const undisturbed = await hostOf(sites, inTurn());
    await runHosted(undisturbed);
    const common = found(sites);
    for (let seq = 1; seq <= undisturbed.entries.length; seq++) {
      const when = seq % 2 === 0 ? "before" : "after";
      const host = await hostOf(sites, inTurn());
      expect(await runHosted(host, { seq, when }), `killed ${when} ${seq}`).toEqual({ exitStatus: 0 });
      expect(decisionsOf(host.entries), `killed ${when} ${seq}`).toEqual(decisionsOf(undisturbed.entries));
      expect(found(sites)).toEqual(common);
    }
  });
});

function pointsIn(bytes: Uint8Array): readonly string[] {
  const data = Buffer.from(bytes).subarray(8 + Number(Buffer.from(bytes).readBigUInt64LE()));
  return Array.from({ length: data.byteLength / pointBytes }, (_, i) => data.toString("hex", i * pointBytes, (i + 1) * pointBytes));
}

function kindOf(model: Uint8Array): string {
  return pointsIn(model).length > 0 && Buffer.from(model).toString("latin1").includes(",32]") ? "points" : "selection";
}
