import type { AggregationEngine, StrategyComponents } from "@flare-ts/aggregator";
import { FlareError } from "@flare-ts/contracts";
import type { JournalEntry } from "../job/job-event.js";
import type { ObjectRef } from "../store/model-store.js";
import type { Clock } from "../workflow/clock.js";
import { jobWorkflows } from "../workflow/registry.js";
import type { WorkflowOutcome } from "../workflow/running-workflow.js";
import { jobExitStatus } from "./job-launcher.js";
import type { MessageChannel } from "./message-channel.js";
import { RpcPeer } from "./rpc-peer.js";
import type { ServerJobPeer, ServerJobSide, ServerParentSide } from "./rpc-sides.js";
import { ServerApp } from "./server-app.js";

export interface ServerJobComponents extends StrategyComponents {
  readonly channel: MessageChannel;
  readonly engine: AggregationEngine;
  readonly clock: Clock;
}

/** How a server job process ends. */
export interface ServerJobEnd {
  /** Of `jobExitStatus`. */
  readonly exitStatus: number;
  readonly error?: FlareError;
}

/**
 * Runs the workflows of one job, from wherever its journal stands, until they or the job are over or the parent is
 * gone. Never throws; what went wrong is in the result, and the parent was told if it can be.
 */
export async function runServerJob(components: ServerJobComponents): Promise<ServerJobEnd> {
  const { channel, engine, randomBytes, clock } = components;
  const early: JournalEntry[] = [];
  let hear = (entry: JournalEntry): void => void early.push(entry);
  const parent: ServerJobPeer = new RpcPeer<ServerJobSide, ServerParentSide>(
    { channel },
    { handlers: {}, listeners: { event: (entry) => hear(entry) } },
  );
  const stop = new AbortController();
  channel.onClose(() => stop.abort());
  parent.start();
  try {
    const { job, entries } = await parent.call("begin", {});
    const app = await readApp(parent, () => ServerApp.read(job));
    const { workflows: stages } = app.settings;
    const workflows = jobWorkflows(
      { job, stages, initialModel: () => initialModelOf(parent, app) },
      { parent, engine, randomBytes, clock },
    );
    for (const entry of early) workflows.hear(entry);
    hear = (entry) => workflows.hear(entry);
    return endOf(await workflows.run(entries, stop.signal));
  } catch (reason) {
    const error = reason instanceof ConfigError ? reason.error : FlareError.from(reason);
    if (stop.signal.aborted || error.code === "runtime/channel-closed") return { exitStatus: jobExitStatus.aborted };
    if (!(reason instanceof ConfigError)) await parent.call("interrupt", { error: error.toJSON() }).catch(() => undefined);
    return { exitStatus: reason instanceof ConfigError ? jobExitStatus.configError : jobExitStatus.exception, error };
  }
}

function endOf(outcome: WorkflowOutcome): ServerJobEnd {
  if (outcome.type === "failed") return { exitStatus: jobExitStatus.exception, error: FlareError.fromJSON(outcome.error) };
  const isDone = outcome.type === "finished" || outcome.status === "FINISHED:COMPLETED";
  return { exitStatus: isDone ? jobExitStatus.ok : jobExitStatus.aborted };
}

/** It is a file of the job, so the store has it. */
async function initialModelOf(parent: ServerJobPeer, app: ServerApp): Promise<ObjectRef> {
  const path = await readApp(parent, () => app.initialModel());
  return parent.call("appFile", { path });
}

/** What is wrong with the app's files stays wrong: the job fails instead of being started again. */
async function readApp<T>(parent: ServerJobPeer, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (reason) {
    const error = FlareError.from(reason);
    await parent.call("fail", { error: error.toJSON() });
    throw new ConfigError(error);
  }
}

class ConfigError extends Error {
  readonly error: FlareError;

  constructor(error: FlareError) {
    super(error.message, { cause: error });
    this.error = error;
  }
}
