import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { contentHashSchema, limits } from "@flare-ts/contracts";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JobEvent } from "../job/job-event.js";
import { crossValidationResults } from "../job/model-evaluations.js";
import { adminName, createSmallFederation, type SmallFederation } from "../process/small-federation.test-support.js";
import { type RunningServer, startServer } from "../server/start-server.js";
import { openSqliteServerStore } from "../store/sqlite-server-store.js";
import type { AdminSession } from "./admin-session.js";
import { connectAdmin } from "./connect-admin.js";

let federation: SmallFederation;
let server: RunningServer;
let admin: AdminSession;
let jobId: string;
let otherJobId: string;

const sites = Array.from({ length: 10 }, (_, i) => `site-${i}`);
const model = { hash: contentHashSchema.parse("a".repeat(64)), size: 1 };
/** As long as the limit for what one site says of one model lets them be. */
const metrics = { ["m".repeat(limits.reportChars - 100)]: 0.5 };

/** Two jobs that wait for their sites; the journal of the first has two evaluations. */
beforeAll(async () => {
  federation = await createSmallFederation();
  const kitDir = federation.kitDir("localhost");
  server = await startServer({ kitDir });
  admin = await connectAdmin({ kitDir: federation.kitDir(adminName) });
  ({ jobId } = await admin.submitJob(await federation.writeJob(["site-1"])));
  ({ jobId: otherJobId } = await admin.submitJob(await federation.writeJob(["site-1"])));
  await server.stop();
  const store = await openSqliteServerStore({ path: join(kitDir, "server.db") });
  for (const event of [...evaluation(0, "matrix"), ...evaluation(10, "at/the end")]) await store.append(jobId, 1, event);
  await store.close();
  server = await startServer({ kitDir });
  for (const id of [jobId, otherJobId]) await admin.abortJob(id);
});

afterAll(async () => {
  admin.close();
  await server.stop();
  await federation.dispose();
});

it("what sites found of the models of a large federation comes to an admin whole, over messages that each hold a part", async () => {
  const evaluations = await admin.evaluations(jobId);
  expect(evaluations.map(({ workflow, models, isOver }) => [workflow, models.length, isOver])).toEqual([
    ["matrix", 10, true],
    ["at/the end", 10, true],
  ]);
  const [first] = evaluations.map(crossValidationResults);
  expect(JSON.stringify(first).length).toBeGreaterThan(limits.controlMessageBytes);
  expect(first).toEqual(Object.fromEntries(sites.map((site) => [site, Object.fromEntries(sites.map((owner) => [owner, metrics]))])));
  expect(await admin.evaluations(otherJobId)).toEqual([]);
});

it("a download has it in FLARE's file, one for each evaluation, and no folder for it where nothing was evaluated", async () => {
  const { dir, evaluations } = await admin.downloadJob(jobId, federation.folder);
  expect(evaluations.map(({ path, evaluation: { workflow } }) => [path, workflow])).toEqual([
    ["cross_site_val/cross_val_results.json", "matrix"],
    ["cross_site_val/cross_val_results_2_at_the_end.json", "at/the end"],
  ]);
  for (const { path, evaluation: one } of evaluations) {
    expect(JSON.parse(await readFile(join(dir, path), "utf8"))).toEqual(crossValidationResults(one));
  }
  const other = await admin.downloadJob(otherJobId, federation.folder);
  expect(other.evaluations).toEqual([]);
  expect((await readdir(other.dir)).toSorted()).toEqual(["job_meta.json", "receipts.json"]);
});

/** Every site evaluates the model of every site. */
function evaluation(firstRound: number, workflow: string): JobEvent[] {
  const rounds = sites.flatMap((owner, i): JobEvent[] => {
    const round = { round: firstRound + i, task: "validate" };
    return [
      { type: "round-opened", ...round, model, sites, totalRounds: sites.length, workflow, evaluates: owner },
      ...sites.map(
        (site): JobEvent => ({ type: "update-accepted", ...round, site, update: model, paramsType: "FULL", weight: 1, metrics, meta: {} }),
      ),
      { type: "round-closed", round: round.round, contributors: sites, missing: [], model, metrics: {}, bytes: 0, aggregationSeconds: 0 },
    ];
  });
  return [...rounds, { type: "workflow-ended", model, reason: "" }];
}
