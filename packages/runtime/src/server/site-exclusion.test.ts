import { FlareError } from "@flare-ts/contracts";
import { beforeEach, expect, it } from "vitest";
import { lineLogger } from "../logging/line-logger.js";
import type { DisabledSite } from "./disabled-sites.js";
import type { ServerJob } from "./server-job.js";
import { SiteExclusion } from "./site-exclusion.js";

const entry: DisabledSite = { org: "o", by: "a@b.org", at_ms: 0, reason: "why" };
let told: string[];
let disabled: Map<string, DisabledSite>;
let jobs: ServerJob[];
let exclusion: SiteExclusion;

beforeEach(() => {
  [told, disabled, jobs] = [[], new Map(), []];
  exclusion = new SiteExclusion({
    disabled: { get: (site) => disabled.get(site), all: () => disabled },
    jobs: { all: () => jobs },
    sessionsOf: (name) => [`${name}'s first`, `${name}'s second`],
    disconnect: (session) => told.push(`cut ${session}`),
    logger: lineLogger(undefined),
  });
});

function job(jobId: string, sites: readonly string[], fails = false): ServerJob {
  const releaseSite = async (site: string, { code }: FlareError): Promise<void> => {
    told.push(`${jobId} without ${site}: ${code}`);
    if (fails) throw new FlareError("store/full", "no room");
  };
  return { jobId, takesPart: (site: string) => sites.includes(site), releaseSite } as unknown as ServerJob;
}

it("a site that is disabled leaves its jobs, then its sessions are cut, even where a journal is full", async () => {
  jobs = [job("1", ["site-1", "site-2"], true), job("2", ["site-2"]), job("3", ["site-1"])];
  disabled.set("site-1", entry);
  expect(await exclusion.exclude("site-1")).toEqual(["1", "3"]);
  const left = ["1 without site-1: auth/site-disabled", "3 without site-1: auth/site-disabled"];
  expect(told).toEqual([...left, "cut site-1's first", "cut site-1's second"]);
});

it("a job that goes on after a restart does so without the sites that are disabled", async () => {
  disabled.set("site-1", entry).set("site-3", entry);
  await exclusion.keep(job("1", ["site-1", "site-2"]));
  expect(told).toEqual(["1 without site-1: auth/site-disabled"]);
});

it("refuses sites by name, and nobody else of that name", () => {
  disabled.set("site-1", entry);
  expect(() => exclusion.requireEnabled({ name: "site-1", kind: "client" })).toThrow(
    expect.objectContaining({ code: "auth/site-disabled", message: "site-1 was disabled by a@b.org on 1970-01-01T00:00:00.000Z: why." }),
  );
  exclusion.requireEnabled({ name: "site-2", kind: "client" });
  exclusion.requireEnabled({ name: "site-1", kind: "relay" });
});
