import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processesWith } from "@flare-ts/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { CommandContext } from "../../command-line/command-context.js";
import { createTerminal } from "../../terminal/terminal.js";
import { withRunningFederation } from "./run-federation.js";
import { type SimulationRecord, servicesOf } from "./simulator-workspace.js";
import { makeThrowAwayFederation } from "./throw-away-federation.js";

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), "flare-simulator-"));
});
afterEach(() => rm(workspace, { recursive: true, force: true }));

it("stops the server and the other sites when one cannot be started", async () => {
  const names = ["site-1", "site-2"];
  const record: SimulationRecord = {
    schema_version: "1",
    job: "job",
    started_ms: 0,
    server: "server",
    clients: names,
    admin: "admin@nvidia.com",
  };
  const sites = names.map((name) => ({ name, gpus: 0, memPerGpuGiB: 0, cpus: 0, memoryBytes: 0, visibleGpus: undefined }));
  const context: Pick<CommandContext, "signal" | "terminal"> = {
    signal: new AbortController().signal,
    terminal: createTerminal({ stdout: process.stdout, stderr: process.stderr, env: { NO_COLOR: "1", CI: "1" } }),
  };
  const meta = { scope: undefined, study: undefined };
  await makeThrowAwayFederation(context, { workspace, record, sites, logLevel: undefined, meta, datasets: new Map() });
  await rm(join(workspace, "site-2", "startup", "client.key"));
  let isReached = false;
  const run = withRunningFederation(context, { workspace, services: servicesOf(workspace, record), sites }, () => {
    isReached = true;
    return Promise.resolve();
  });
  await expect(run).rejects.toMatchObject({ code: "runtime/start-failed", message: expect.stringContaining("site-2/log.txt") as string });
  expect({ isReached, left: processesWith(workspace) }).toEqual({ isReached: false, left: [] });
});
