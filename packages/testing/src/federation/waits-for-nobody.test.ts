import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors } from "@flare-ts/aggregator";
import type { JournalEntry } from "@flare-ts/runtime/admin";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { letGo, writeAddOneJob } from "./add-one-job.js";
import { eventually } from "./eventually.js";
import { createFederation, type Federation } from "./federation.js";
import { followJob } from "./follow-job.js";
import { descendantsOf } from "./process-tree.js";

const sites = ["site-1", "site-2", "site-3"];
const models = 6;
/** In which order sites hand in, each from the model of which round. The second model takes site-3 as long as the others need for three. */
const turns: readonly (readonly [site: string, round: number])[] = [
  ["site-3", 0],
  ["site-1", 0],
  ["site-2", 0],
  ["site-1", 1],
  ["site-1", 2],
  ["site-2", 1],
  ["site-2", 3],
  ["site-1", 3],
  ["site-1", 4],
  ["site-3", 1],
  ["site-3", 5],
  ["site-2", 4],
];

describe("FedBuff, where one site takes as long for a model as the others for three", () => {
  let federation: Federation;
  let folder: string;
  let undisturbed: readonly JournalEntry[];
  let inStoreInRound4: Readonly<Record<string, boolean>> = {};
  /** The model that each run has made. */
  const results = new Map<string, string>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-buffered-"));
    await writeAddOneJob({
      folder: join(folder, "job"),
      rounds: models,
      workflow: "FedBuff",
      holds: Object.fromEntries(sites.map((site) => [site, Array.from({ length: models }, (_, round) => round)])),
      minClients: sites.length,
      args: { num_updates_for_model: 2, strategy_args: { learningRate: 0.5 } },
      addsOwnNumber: true,
      // More than comes inside a task: it is fetched.
      parameters: 40_000,
    });
    federation = await createFederation({ sites });
    // One site clips what it has changed, 400 of norm, to the half, and makes it smaller; the others hand in whole models, of which the server
    // makes differences.
    const local = join(federation.kitOf("site-2"), "local");
    const clips = [{ name: "ClipNorm", args: { max_norm: 200 } }];
    const policy = { scopes: [{ name: "private", task_result_filters: clips }], default_scope: "private" };
    await writeFile(join(local, "privacy.json"), JSON.stringify(policy));
    await writeFile(join(local, "resources.json"), JSON.stringify({ format_version: 2, components: [], update_form: "bfloat16" }));
    await federation.startAll();
    undisturbed = await runJob("undisturbed");
  });

  afterAll(async () => {
    await federation.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  it("makes models of what the others hand in, and counts the slow one's update by its age against the model it was made from", async () => {
    expect(closedRounds(undisturbed)).toEqual([
      { round: 0, updates: ["site-1@0", "site-3@0"] },
      { round: 1, updates: ["site-1@1", "site-2@0"] },
      { round: 2, updates: ["site-1@2", "site-2@1"] },
      { round: 3, updates: ["site-1@3", "site-2@3"] },
      { round: 4, updates: ["site-1@4", "site-3@1"] },
      { round: 5, updates: ["site-2@4", "site-3@5"] },
    ]);
    const change = closedRounds(undisturbed).reduce((sum, { round, updates }) => sum + 0.5 * meanChange(round, updates), 0);
    const values = await resultOf("undisturbed");
    const [first, last] = [values.at(0) ?? Number.NaN, values.at(-1) ?? Number.NaN];
    // The last parameter was 4999.875, where a step of float32 is 2^-11; bfloat16 rounds a change of about 1 to 1.
    expect(Math.abs(first - change)).toBeLessThan(1e-5);
    expect(Math.abs(last - 4999.875 - change)).toBeLessThan(models * 2 ** -10);
    const forms = undisturbed.flatMap(({ event }) => (event.type === "update-accepted" ? [`${event.site} ${event.paramsType}`] : []));
    expect(new Set(forms)).toEqual(new Set(["site-1 FULL", "site-2 DIFF", "site-3 FULL"]));
  });

  it("says in each receipt which update was made from which model", async () => {
    const admin = await federation.admin();
    const jobId = undisturbed[0]?.jobId ?? "";
    const { verdicts } = await admin.receipts(jobId);
    admin.close();
    const bases = new Map(
      undisturbed.flatMap(({ event }) => (event.type === "round-opened" ? [[event.round, event.model.hash] as const] : [])),
    );
    const said = verdicts.flatMap((verdict) => {
      if (!verdict.ok) return [verdict.why];
      const { round, contributions } = verdict.receipt;
      return contributions.map(({ site, base, staleness = Number.NaN }) => {
        const isBase = base?.hash === bases.get(round - staleness);
        return `${round}: ${site}@${round - staleness}${isBase ? "" : " of another model"}`;
      });
    });
    expect(said).toEqual(closedRounds(undisturbed).flatMap(({ round, updates }) => updates.map((update) => `${round}: ${update}`)));
  });

  it("keeps a model as long as a site is at work on it, and lets go of newer ones that nobody is at work on", () => {
    expect(inStoreInRound4).toEqual({ "model of round 1": true, "model of round 2": false });
  });

  it.each<[string, readonly (() => number | undefined)[]]>([
    ["the slow site and the server", [() => federation.pidOf("site-3"), () => federation.pidOf("server")]],
    [
      "the slow site's trainer and the server's job process",
      [() => processOf("site-3", /train\.js/), () => processOf("server", /server-job-main/)],
    ],
  ])(
    "ends with the same bytes when %s are killed at once, twice",
    async (victims, pids) => {
      const entries = await runJob(victims.replaceAll(/\W/g, "-"), pids);
      expect(closedRounds(entries)).toEqual(closedRounds(undisturbed));
      expect(modelsOf(entries)).toEqual(modelsOf(undisturbed));
    },
    120_000,
  );

  /** Runs the job with the turns above, and kills processes while the slow site has just begun with its model, and when it is nearly done. */
  async function runJob(name: string, victims: readonly (() => number | undefined)[] = []): Promise<readonly JournalEntry[]> {
    const admin = await federation.admin();
    const { jobId } = await admin.submitJob(join(folder, "job"));
    admin.close();
    let next = 0;
    const goOn = async (): Promise<void> => {
      const [site, round] = turns[next] ?? ["", -1];
      if (site === "") return;
      if (next === 4 || next === 9) {
        const pids = await Promise.all(victims.map((victim) => eventually(`${name} run`, victim)));
        for (const pid of pids) process.kill(pid, "SIGKILL");
      }
      next += 1;
      await letGo(federation, jobId, site, round);
    };
    let isStarted = false;
    const came: string[] = [];
    const opened = new Map<number, string>();
    const entries = await followJob(federation, jobId, async ({ event }) => {
      if (event.type === "round-opened") opened.set(event.round, event.model.hash);
      if (event.type === "round-opened" && event.round === 4) {
        await eventually("the model of round 2 is let go", async () => !(await isInStore(opened.get(2))));
        inStoreInRound4 = { "model of round 1": await isInStore(opened.get(1)), "model of round 2": await isInStore(opened.get(2)) };
      }
      if (event.type === "round-opened" && !isStarted) {
        isStarted = true;
        await goOn();
      }
      if (event.type === "update-accepted") {
        came.push(`${event.site}@${event.round}`);
        await goOn();
      }
    });
    const failures = entries.map(({ event }) => event).filter(({ type }) => type === "task-failed" || type === "site-left");
    expect({ ...entries.at(-1)?.event, failures }).toMatchObject({
      status: "FINISHED:COMPLETED",
      reason: `all ${models} rounds are done`,
      failures: [],
    });
    expect(came).toEqual(turns.map(([site, round]) => `${site}@${round}`));
    const session = await federation.admin();
    const { dir, files } = await session.downloadJob(jobId, join(folder, name));
    results.set(name, join(dir, files.find(({ path }) => path.endsWith("FL_global_model.safetensors"))?.path ?? ""));
    session.close();
    return entries;
  }

  async function resultOf(name: string): Promise<readonly number[]> {
    const path = results.get(name) ?? "";
    return [...((decodeSafetensors(await readFile(path), path).get("weight")?.data ?? []) as Float32Array)];
  }

  async function isInStore(hash = "none"): Promise<boolean> {
    const names = await readdir(federation.kitOf("server"), { recursive: true });
    return names.some((path) => path.includes(hash));
  }

  function processOf(name: string, command: RegExp): number | undefined {
    const parent = federation.pidOf(name);
    return parent === undefined ? undefined : descendantsOf(parent).find(({ commandLine }) => command.test(commandLine))?.pid;
  }
});

/** Which updates are in which model. */
function closedRounds(entries: readonly JournalEntry[]): readonly { readonly round: number; readonly updates: readonly string[] }[] {
  return entries.flatMap(({ event }) =>
    event.type === "round-closed"
      ? [{ round: event.round, updates: (event.updates ?? []).map(({ site, round }) => `${site}@${round}`) }]
      : [],
  );
}

function modelsOf(entries: readonly JournalEntry[]): readonly string[] {
  return entries.flatMap(({ event }) => (event.type === "round-closed" ? [event.model.hash] : []));
}

/** What a site adds to each parameter, after its filters. */
const added: Readonly<Record<string, number>> = { "site-1": 1, "site-2": 1, "site-3": 3 };

/** FedBuff's mean of what sites add. */
function meanChange(round: number, updates: readonly string[]): number {
  const changes = updates.map((update) => {
    const [site = "", base = ""] = update.split("@");
    return (added[site] ?? Number.NaN) / Math.sqrt(1 + round - Number(base));
  });
  return changes.reduce((sum, change) => sum + change, 0) / changes.length;
}
