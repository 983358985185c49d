import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { threadVariables } from "../executor/thread-variables.js";
import { programPath } from "../installed.js";
import { oneArena } from "../process/malloc-settings.js";
import { engineThreadsFlag } from "./engine-threads-flag.js";
import type { JobLaunch, JobLauncher, JobProcess, JobProcessExit } from "./job-launcher.js";
import { childChannel } from "./node-ipc-channel.js";
import { permissionFlags } from "./permission-flags.js";

export interface ProcessJobLauncherInit {
  /** Variables from which the few that a job process gets are taken. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Programs to start instead of those of this package. */
  readonly entries?: Partial<Readonly<Record<JobLaunch["kind"], string>>>;
  /** Heap of a job process. @default what Node takes */
  readonly heapMiB?: number | undefined;
  /** Threads of the aggregation in a server's job process. @default as many as are useful */
  readonly engineThreads?: number | undefined;
}

/**
 * Starts each job process as a child of this process, under Node's permission model: it can read the job's workspace, the
 * code and what is named, write in the workspace, and reach no key. A server's job process starts threads for
 * the aggregation and no programs; a site's starts the trainer and no threads. It gets few variables of the environment, and no open file but its log.
 */
export class ProcessJobLauncher implements JobLauncher {
  readonly #init: ProcessJobLauncherInit;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #entries: Readonly<Record<JobLaunch["kind"], string>>;

  constructor(init: ProcessJobLauncherInit) {
    this.#init = init;
    this.#environment = jobEnvironment(init.environment);
    this.#entries = { server: programPath("job-process/server-job-main"), site: programPath("job-process/site-job-main"), ...init.entries };
  }

  async launch(init: JobLaunch): Promise<JobProcess> {
    const { kind, jobId, workspace, readable } = init;
    const entry = this.#entries[kind];
    const flags = permissionFlags({
      workspace,
      readable: [...readable, entry],
      mayStartProcesses: kind === "site",
      mayStartThreads: kind === "server",
    });
    let log: FileHandle | undefined;
    try {
      await mkdir(workspace, { recursive: true });
      log = await open(join(workspace, "log.txt"), "a", 0o600);
      const { heapMiB, engineThreads } = this.#init;
      const heap = heapMiB === undefined ? [] : [`--max-old-space-size=${heapMiB}`];
      const threads = engineThreads === undefined || kind !== "server" ? [] : [`${engineThreadsFlag}${engineThreads}`];
      const child = spawn(
        process.execPath,
        [...flags, ...(kind === "site" ? smallHeapFlags : smallYoungSpace), ...heap, entry, ...threads],
        {
          cwd: workspace,
          env: { ...this.#environment, ...oneArena },
          stdio: ["ignore", log.fd, log.fd, "ipc"],
          windowsHide: true,
        },
      );
      const exited = exitOf(child);
      await once(child, "spawn");
      return { channel: childChannel(child), pid: child.pid ?? 0, exited, kill: (signal) => void child.kill(signal) };
    } catch (cause) {
      throw new FlareError("runtime/job-process-start", `The job process of job ${jobId} could not be started: ${String(cause)}`, {
        facts: { jobId, kind, workspace },
        cause,
      });
    } finally {
      await log?.close();
    }
  }
}

/**
 * A site's job process passes messages on: a machine with many sites has better use for the memory that V8 would keep for speed, and
 * for the processor time of threads that compile and collect garbage beside it.
 */
const smallHeapFlags = ["--optimize-for-size", "--max-semi-space-size=1", "--single-threaded"];

/** A server's job process and its threads hold little that is young: models never come into their heaps. */
const smallYoungSpace = ["--max-semi-space-size=1"];

/** What a job process gets of its parent's environment; above all no NODE_OPTIONS, which could take the permissions off. */
const passedVariables = [
  "PATH",
  "HOME",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "VIRTUAL_ENV",
  "FLARE_PYTHON",
  "LD_LIBRARY_PATH",
  "CUDA_VISIBLE_DEVICES",
  "CUDA_DEVICE_ORDER",
  ...threadVariables,
] as const;

function jobEnvironment(environment: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const passed: Record<string, string> = {};
  for (const name of passedVariables) {
    const value = environment[name];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}

function exitOf(child: ChildProcess): Promise<JobProcessExit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}
