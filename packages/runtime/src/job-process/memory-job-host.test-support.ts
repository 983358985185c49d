import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ContentHash, FlareError, type SerializedFlareError } from "@flare-ts/contracts";
import type { AcceptedUpdate, JobEvent, JournalEntry } from "../job/job-event.js";
import type { ObjectRef } from "../store/model-store.js";
import type { Clock } from "../workflow/clock.js";
import type { ServerJobCalls, ServerJobDescription } from "./job-channel.js";
import type { CallHandlers } from "./rpc-peer.js";

/** What a site answers to a task. */
export type SiteAnswer =
  | ({ readonly bytes: Uint8Array } & Pick<AcceptedUpdate, "paramsType" | "weight" | "metrics">)
  | { readonly error: SerializedFlareError }
  | "silence";

export interface HostedTask {
  readonly site: string;
  readonly round: number;
  readonly task: string;
  readonly model: Uint8Array;
  readonly totalRounds: number;
  readonly meta: Readonly<Record<string, unknown>>;
}

export interface MemoryJobHostInit {
  readonly folder: string;
  readonly job: Omit<ServerJobDescription, "workspace">;
  readonly clock: Clock;
  /** Does a site's training, in whatever time it takes. */
  readonly train: (task: HostedTask, host: MemoryJobHost) => Promise<SiteAnswer>;
}

/** How the job ended for its parent. */
export type HostedEnd = { readonly model: ObjectRef; readonly reason: string } | { readonly error: SerializedFlareError };

/** A parent of a server job process with its sites, for tests: a journal in memory, objects in a folder. */
export class MemoryJobHost {
  readonly entries: JournalEntry[] = [];
  readonly calls: string[] = [];
  /** Told of each entry of the journal before the job process is. */
  onEntry: (entry: JournalEntry) => void = () => {};
  /** Passes entries on to the job process that runs. */
  notify: (entry: JournalEntry) => void = () => {};
  end: HostedEnd | undefined;
  readonly folder: string;
  readonly workspace: string;
  readonly #init: MemoryJobHostInit;
  readonly #tasks = new Set<string>();
  readonly #closed = new Set<string>();

  constructor(init: MemoryJobHostInit) {
    this.#init = init;
    this.folder = init.folder;
    this.workspace = join(init.folder, "workspace");
    mkdirSync(join(init.folder, "objects"), { recursive: true });
  }

  readonly handlers: CallHandlers<ServerJobCalls> = {
    begin: () => this.#noted("begin", { job: { ...this.#init.job, workspace: this.workspace }, entries: [...this.entries] }),
    append: ({ event }) => this.#noted(`append ${event.type}`, { seq: this.add(event).seq }),
    assign: ({ round, task, model, models, sites, totalRounds, meta }) => {
      for (const site of sites) void this.#train({ site, round, task, totalRounds, meta }, models?.[site] ?? model);
      return this.#noted("assign", {});
    },
    closeTask: ({ round, task }) => {
      this.#closed.add(`${round} ${task}`);
      return this.#noted("closeTask", {});
    },
    appFile: async ({ path }) => {
      const file = join(this.workspace, "app_server", path);
      const ref = refOf(await readFile(file));
      await copyFile(file, this.#pathOf(ref.hash));
      return this.#noted("appFile", ref);
    },
    objectPath: ({ hash }) => this.#noted("objectPath", { path: this.#pathOf(hash) }),
    beginFile: () => Promise.resolve({}),
    fileReached: () => ({}),
    importObject: async ({ path }) => {
      const ref = refOf(await readFile(path));
      await rename(path, this.#pathOf(ref.hash));
      return this.#noted("importObject", ref);
    },
    finish: ({ model, reason }) => {
      this.end = { model, reason };
      return this.#noted("finish", {});
    },
    interrupt: () => this.#noted("interrupt", {}),
    fail: ({ error }) => {
      this.end = { error };
      return this.#noted("fail", {});
    },
  };

  add(event: JobEvent): JournalEntry {
    const entry: JournalEntry = { jobId: this.#init.job.jobId, seq: this.entries.length + 1, atMs: this.#init.clock.now(), event };
    this.entries.push(entry);
    this.onEntry(entry);
    this.notify(entry);
    return entry;
  }

  eventsOf<Type extends JobEvent["type"]>(type: Type): Extract<JobEvent, { type: Type }>[] {
    return this.entries.flatMap(({ event }) => (event.type === type ? [event as Extract<JobEvent, { type: Type }>] : []));
  }

  read(ref: ObjectRef): Promise<Buffer> {
    return readFile(this.#pathOf(ref.hash));
  }

  async #train(assigned: Omit<HostedTask, "model">, model: ObjectRef): Promise<void> {
    const { site, round, task } = assigned;
    const key = `${round} ${task} ${site}`;
    if (this.#tasks.has(key)) return;
    this.#tasks.add(key);
    const answer = await this.#init.train({ ...assigned, model: await this.read(model) }, this);
    if (answer === "silence" || this.#closed.has(`${round} ${task}`)) return;
    if ("error" in answer) {
      this.add({ type: "task-failed", round, task, site, error: answer.error });
      return;
    }
    const { bytes, ...rest } = answer;
    const update = refOf(bytes);
    await mkdir(join(this.#init.folder, "objects"), { recursive: true });
    await writeFile(this.#pathOf(update.hash), bytes);
    this.add({ type: "update-accepted", round, task, site, update, meta: {}, ...rest });
  }

  #pathOf(hash: string): string {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new FlareError("internal/bug", `${hash} is no hash.`);
    return join(this.#init.folder, "objects", `${hash}.safetensors`);
  }

  #noted<Result>(call: string, result: Result): Result {
    this.calls.push(call);
    return result;
  }
}

function refOf(bytes: Uint8Array): ObjectRef {
  return { hash: createHash("sha256").update(bytes).digest("hex") as ContentHash, size: bytes.byteLength };
}
