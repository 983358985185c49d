import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { JobProcess } from "./job-launcher.js";
import type { MemoryJobHost } from "./memory-job-host.test-support.js";
import { ProcessJobLauncher } from "./process-job-launcher.js";
import { RpcPeer } from "./rpc-peer.js";
import type { ServerJobSide, ServerParentSide } from "./rpc-sides.js";
import { finalHash, smallJob } from "./small-job.test-support.js";

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

describe("a server job process", () => {
  it("runs a job to its end under the permissions that it gets", async () => {
    const host = await jobOf();
    const { exited } = await launch(host);
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(host.end).toMatchObject({ reason: "all 3 rounds are done" });
  });

  it("says in its log and in the journal what it aggregates with", async () => {
    const host = await jobOf({ num_rounds: 1, strategy: "median" });
    await (await launch(host)).exited;
    const lines = (await readFile(join(host.workspace, "log.txt"), "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        level: "info",
        message: "engine chosen",
        engine: "cpu-wasm-exact",
        device: expect.stringContaining("WebAssembly") as string,
        reasons: [],
      },
    ]);
    expect(host.eventsOf("round-closed")).toMatchObject([{ engine: "cpu-wasm-exact", strategy: "median" }]);
  });

  it("gives the same model when it is killed in the middle of each round", async () => {
    const undisturbed = await jobOf();
    await (await launch(undisturbed)).exited;
    for (const round of [0, 1, 2]) {
      const host = await jobOf();
      const first = await launch(host);
      host.onEntry = ({ event }) => {
        if (event.type === "update-accepted" && event.round === round && event.site === "site-2") first.kill("SIGKILL");
      };
      expect(await first.exited).toEqual({ code: null, signal: "SIGKILL" });
      const second = await launch(host);
      expect(await second.exited).toEqual({ code: 0, signal: null });
      expect(finalHash(host)).toBe(finalHash(undisturbed));
    }
  });

  it("says by its exit status that the configuration is wrong", async () => {
    const host = await jobOf({ num_rounds: 0 });
    const { exited } = await launch(host);
    expect(await exited).toEqual({ code: 103, signal: null });
  });
});

async function jobOf(args: Readonly<Record<string, unknown>> = { num_rounds: 3 }): Promise<MemoryJobHost> {
  const host = await smallJob({ args });
  folders.push(host.folder);
  return host;
}

async function launch(host: MemoryJobHost): Promise<JobProcess> {
  const launcher = new ProcessJobLauncher({ environment: process.env });
  const job = await launcher.launch({ kind: "server", jobId: "job", workspace: host.workspace, readable: [join(host.folder, "objects")] });
  const peer = new RpcPeer<ServerParentSide, ServerJobSide>({ channel: job.channel }, { handlers: host.handlers, listeners: {} });
  host.notify = (entry) => peer.notify("event", entry);
  peer.start();
  return job;
}
