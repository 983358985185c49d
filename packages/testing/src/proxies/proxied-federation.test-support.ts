import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { freePort, type RunningServer, type RunningSite, startServer, startSite } from "@flare-ts/runtime";
import { writeAddOneJob } from "../federation/add-one-job.js";
import { type CreateFederationInit, createFederation, type Federation } from "../federation/federation.js";
import { followJob } from "../federation/follow-job.js";

/** A federation whose kits lead to a proxy's port, while its server listens on another. */
export interface ProxiedFederation extends Federation {
  /** Where the server listens. */
  readonly serverPort: number;
  /** Log lines of server and sites, as `name: {level, message, fields}`. */
  readonly lines: string[];
  /** Starts the server; on the port that the kits lead to in place of its own, where no proxy is to be in between. */
  readonly startServer: (port?: number) => Promise<RunningServer>;
  readonly startSite: (name: string) => Promise<RunningSite>;
  /** Lines from that index on that tell of a broken or missing connection. */
  readonly troubleSince: (index: number) => readonly string[];
  /**
   * Runs a job of one round with a model of so many bytes, and gives the hash of the model that came out. With a `title` it says
   * how long a model of 100 MB or more took.
   */
  readonly runJob: (modelBytes: number, title?: string) => Promise<string>;
  /** Runs the job of a folder, likewise. */
  readonly runFolder: (folder: string) => Promise<string>;
}

/** Provisions it; `port` of the federation is where the proxy is to listen. */
export async function proxiedFederation(init: Omit<CreateFederationInit, "port"> & { readonly port?: number }): Promise<ProxiedFederation> {
  const federation = await createFederation(init);
  const serverPort = await freePort();
  const running: { stop(): Promise<void> }[] = [];
  const lines: string[] = [];
  const onLog = (name: string) => ({ onLog: (line: object) => void lines.push(`${name}: ${JSON.stringify(line)}`) });
  const keep = <Running extends { stop(): Promise<void> }>(one: Running): Running => {
    running.unshift(one);
    return one;
  };
  return {
    ...federation,
    serverPort,
    lines,
    startServer: async (port = serverPort) => keep(await startServer({ kitDir: federation.kitOf("server"), port, ...onLog("server") })),
    startSite: async (name) => keep(await startSite({ kitDir: federation.kitOf(name), ...onLog(name) })),
    troubleSince: (index) => lines.slice(index).filter((line) => /is over|cannot be reached|is silent/.test(line)),
    runFolder: async (folder) => runFolder(federation, folder),
    runJob: async (modelBytes, title) => {
      const from = performance.now();
      const hash = await runJob(federation, modelBytes);
      if (title !== undefined && modelBytes >= 1e8)
        process.stdout.write(
          `${title}: ${modelBytes / 1e6} MB twice up and twice down in ${((performance.now() - from) / 1000).toFixed(1)} s\n`,
        );
      return hash;
    },
    dispose: async () => {
      for (const one of running) await one.stop();
      await federation.dispose();
    },
  };
}

async function runJob(federation: Federation, modelBytes: number): Promise<string> {
  const folder = join(federation.folder, `job-${modelBytes}`);
  await writeAddOneJob({ folder, rounds: 1, parameters: Math.ceil(modelBytes / 4) });
  return runFolder(federation, folder);
}

async function runFolder(federation: Federation, folder: string): Promise<string> {
  const admin = await federation.admin();
  try {
    const { jobId } = await admin.submitJob(folder);
    const entries = await followJob(federation, jobId);
    const last = entries.at(-1)?.event;
    if (last?.type !== "job-ended" || last.status !== "FINISHED:COMPLETED") throw new Error(`the job ended with ${JSON.stringify(last)}`);
    const result = join(federation.folder, `result-${jobId}`);
    const { files } = await admin.downloadJob(jobId, result);
    await rm(result, { recursive: true, force: true });
    const model = files.find(({ path }) => path.endsWith("FL_global_model.safetensors"));
    if (model === undefined) throw new Error("the job's result has no model");
    return model.hash;
  } finally {
    admin.close();
  }
}
