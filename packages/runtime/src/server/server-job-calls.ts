import { join, relative, resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type ContentHash, contentHashSchema, FlareError, limits } from "@flare-ts/contracts";
import { ServerMessageSchema } from "@flare-ts/contracts/wire";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import type { JobStatus } from "../job/job-status.js";
import type { ServerJobCalls } from "../job-process/job-channel.js";
import type { CallHandlers } from "../job-process/rpc-peer.js";
import { errorField, type Logger } from "../logging/logger.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import { readWhole } from "../store/read-whole.js";
import type { JobRecord, ServerStore } from "../store/server-store.js";
import { taskKeyToWire } from "../transport/wire-values.js";
import type { GrowingModel } from "./growing-model.js";
import type { JobDefinition } from "./job-definition.js";
import type { JournalHub } from "./journal-hub.js";
import type { SiteDirectory } from "./site-directory.js";
import { taskToWire } from "./task-message.js";

export interface ServerJobCallsComponents {
  readonly store: ServerStore;
  readonly hub: JournalHub;
  readonly models: ModelStore;
  /** What the job process writes. */
  readonly growing: GrowingModel;
  readonly directory: SiteDirectory;
  readonly logger: Logger;
}

/** What the calls need to know of their job, and ask of it. */
export interface CalledJob {
  readonly record: JobRecord;
  readonly definition: JobDefinition;
  /** Sites that the job was deployed to. */
  readonly sites: readonly string[];
  /** Folder of the job. */
  readonly workspace: string;
  /** Has the job process told of the journal: all of it at once, then entry by entry. */
  follow(onEntry: (entry: JournalEntry) => void): Promise<void>;
  notify(entry: JournalEntry): void;
  /** Whether a site has a part in this job still. */
  takesPart(site: string): boolean;
  /** Lets a site read the model of a task. */
  grantTask(site: string, model: ContentHash): void;
  /** Adds to an event what the job process cannot know. */
  complete(event: JobEvent): JobEvent;
  /** Keeps an object as long as the job needs it. */
  hold(hash: ContentHash): Promise<void>;
  end(status: JobStatus, reason: string, result?: ObjectRef): Promise<void>;
}

/** Answers to what the job process of a job asks the server's parent process for. */
export function serverJobCalls(components: ServerJobCallsComponents, job: CalledJob): CallHandlers<ServerJobCalls> {
  const { store, hub, models, growing, directory, logger } = components;
  const { record, definition, workspace, sites } = job;
  const { jobId } = record;
  return {
    begin: async () => {
      const entries: JournalEntry[] = [];
      let isAnswered = false;
      await job.follow((entry) => {
        if (isAnswered) job.notify(entry);
        else entries.push(entry);
      });
      isAnswered = true;
      const { minClients, mandatoryClients, secureAggregation } = definition.meta;
      const ofAll = { jobId, name: record.name, sites: [...sites].sort(), minClients: minClients ?? 1, mandatoryClients, workspace };
      return {
        job: { ...ofAll, ...(secureAggregation === undefined ? {} : { secureAggregation }) },
        entries,
      };
    },
    append: async ({ event }) => ({ seq: (await hub.append(jobId, job.complete(event))).seq }),
    assign: async ({ round, task, model: ofAll, models: ofSites = {}, sites: asked, totalRounds, meta, reads = [] }) => {
      const modelOf = (site: string): ObjectRef => (Object.hasOwn(ofSites, site) ? (ofSites[site] ?? ofAll) : ofAll);
      await store.openTasks(asked.map((site) => ({ jobId, round, task, site, model: modelOf(site), totalRounds, meta })));
      const open = await store.openTasksFor({ jobId, round, task });
      const inlines = new Map<ContentHash, Uint8Array>();
      for (const { hash, size } of [ofAll, ...Object.values(ofSites)])
        if (size <= limits.inlineBytes && !inlines.has(hash)) inlines.set(hash, await readWhole(models, { hash, size }));
      for (const own of open.filter(({ site }) => asked.includes(site) && job.takesPart(site))) {
        const { model } = own;
        for (const { hash } of [model, ...reads]) job.grantTask(own.site, hash);
        const isInline = model.size <= (directory.get(own.site)?.inlineBytes ?? 0);
        const value = taskToWire(own, isInline ? inlines.get(model.hash) : undefined);
        directory.push(own.site, create(ServerMessageSchema, { message: { case: "task", value } }));
      }
      return {};
    },
    closeTask: async ({ round, task }) => {
      const key = { jobId, round, task };
      await store.closeTask(key);
      const closed = create(ServerMessageSchema, { message: { case: "closeTask", value: taskKeyToWire(key) } });
      for (const site of sites) directory.push(site, closed);
      return {};
    },
    appFile: ({ path }) => {
      const { manifest, serverApp } = definition;
      const file = manifest.files.find((each) => each.path === `${serverApp}/${path}`);
      if (file === undefined)
        throw new FlareError("job/file-missing", `The server's app has no file ${path}.`, { facts: { path, job: jobId } });
      return { hash: file.sha256, size: file.size };
    },
    objectPath: async ({ hash }) => {
      const held = await models.find(contentHashSchema.parse(hash));
      if (held === undefined)
        throw new FlareError("runtime/object-missing", `The store does not hold ${hash}.`, { facts: { hash, job: jobId } });
      return { path: held.path };
    },
    beginFile: async ({ path, bytes }) => {
      await growing.begin(insideOf(workspace, path), bytes);
      return {};
    },
    fileReached: ({ path, bytes }) => {
      growing.reached(insideOf(workspace, path), bytes);
      return {};
    },
    importObject: async ({ path }) => {
      const { hash, size } = await growing.take(insideOf(workspace, path));
      await job.hold(hash);
      return { hash, size };
    },
    finish: async ({ model, reason }) => {
      await job.end("FINISHED:COMPLETED", reason, model);
      return {};
    },
    interrupt: ({ error }) => {
      logger.error("workflow cannot go on yet", { error: errorField(FlareError.fromJSON(error)) });
      return {};
    },
    fail: async ({ error }) => {
      logger.error("workflow failed", { error: errorField(FlareError.fromJSON(error)) });
      await job.end("FINISHED:EXECUTION_EXCEPTION", error.message);
      return {};
    },
  };
}

/** A path that a job process has named, which lies in the job's folder. @throws FlareError `runtime/bad-message` */
function insideOf(workspace: string, path: string): string {
  const inside = relative(workspace, resolve(workspace, path));
  if (inside.startsWith("..") || inside === "")
    throw new FlareError("runtime/bad-message", "A job process may give and take files of its own folder only.", { facts: { path } });
  return join(workspace, inside);
}
