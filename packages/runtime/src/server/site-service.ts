import { create } from "@bufbuild/protobuf";
import { FlareError, isContentHash, limits, type SerializedFlareError } from "@flare-ts/contracts";
import {
  DesiredStateSchema,
  HeartbeatSchema,
  type ServerMessage,
  ServerMessageSchema,
  type SiteMessage,
  type SubmitUpdateReply,
  SubmitUpdateReplySchema,
  type SubmitUpdateRequest,
} from "@flare-ts/contracts/wire";
import type { JobEvent, Metrics, ParamsType } from "../job/job-event.js";
import { capPeerText, errorField, type Logger } from "../logging/logger.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { CallContext } from "../transport/connection.js";
import { taskKeyFromWire, taskKeyText, taskKeyToWire } from "../transport/wire-values.js";
import type { JobTable } from "./job-table.js";
import type { JournalHub } from "./journal-hub.js";
import type { AttachedSite, SiteDirectory } from "./site-directory.js";

export interface SiteServiceComponents {
  readonly directory: SiteDirectory;
  readonly jobs: JobTable;
  readonly hub: JournalHub;
  readonly models: ModelStore;
  readonly retention: ObjectRetention;
  readonly logger: Logger;
  readonly now: () => number;
  /** Ends a session whose site has fallen silent. */
  readonly disconnect: (sessionId: string, reason: string) => void;
  /** A site has come or gone: waiting jobs may start now. */
  readonly onSitesChanged: () => void;
}

/** The control plane of sites: their control streams, and the updates that they hand in. */
export class SiteService {
  readonly #parts: SiteServiceComponents;
  readonly #maxClients: number;

  constructor(components: SiteServiceComponents, init: { readonly maxClients: number }) {
    this.#parts = components;
    this.#maxClients = init.maxClients;
  }

  /** Serves one control stream; a site that says nothing for `limits.silenceMs` is disconnected. */
  attach(
    context: CallContext,
    send: (message: ServerMessage) => Promise<void>,
  ): { onMessage(message: SiteMessage): void; onClose(reason: string): void } {
    const { directory, logger, now, disconnect, onSitesChanged } = this.#parts;
    const { name } = context.identity;
    if (directory.size >= this.#maxClients && directory.get(name) === undefined) {
      throw new FlareError("runtime/too-many-sites", `${this.#maxClients} sites are connected; the server takes no more.`, {
        facts: { site: name, maxClients: this.#maxClients },
      });
    }
    const log = logger.child({ site: name, session: context.sessionId });
    const push = (message: ServerMessage): void => {
      send(message).catch((error: unknown) => log.debug("message to site was not sent", { error: errorField(error) }));
    };
    const silence = setTimeout(() => disconnect(context.sessionId, `no message for ${limits.silenceMs / 1000} s`), limits.silenceMs);
    let site: AttachedSite | undefined;
    return {
      onMessage: (message) => {
        silence.refresh();
        if (message.message.case === "hello") {
          site = {
            identity: context.identity,
            sessionId: context.sessionId,
            sinceMs: now(),
            softwareVersion: capPeerText(message.message.value.softwareVersion),
            push,
          };
          directory.add(site);
          log.info("site connected", { softwareVersion: site.softwareVersion });
          this.#welcome(site).then(onSitesChanged, (error: unknown) => {
            log.error("site could not be given its state", { error: errorField(error) });
            disconnect(context.sessionId, "its state could not be read");
          });
          return;
        }
        this.#hear(name, message, push).catch((error: unknown) =>
          log.error("message from site failed", { kind: message.message.case ?? "none", error: errorField(error) }),
        );
      },
      onClose: (reason) => {
        clearTimeout(silence);
        if (site === undefined || !directory.remove(site, reason)) return;
        log.info("site disconnected", { reason: capPeerText(reason) });
        this.#journalForJobsOf(name, { type: "site-disconnected", site: name, reason: capPeerText(reason) });
        onSitesChanged();
      },
    };
  }

  /** Accepts an update whose bytes are in the store; the reply is given when the acceptance is durable. */
  async submitUpdate(context: CallContext, request: SubmitUpdateRequest): Promise<SubmitUpdateReply> {
    const { hub, models, jobs, logger, retention } = this.#parts;
    const key = taskKeyFromWire(request.key);
    const site = context.identity.name;
    if (!jobs.isParticipant(key.jobId, site)) return create(SubmitUpdateReplySchema, { key: taskKeyToWire(key), outcome: "late" });
    const { hash = "" } = request.update ?? {};
    const holder = `update:${site}:${taskKeyText(key)}`;
    await retention.hold(holder, isContentHash(hash) ? [hash] : []);
    try {
      const update = await heldObject(models, request);
      const outcome = await hub.acceptUpdate(key, acceptedUpdate(site, update, request));
      logger.debug("update handed in", { site, job: key.jobId, round: key.round, outcome, bytes: update.size });
      return create(SubmitUpdateReplySchema, { key: taskKeyToWire(key), outcome });
    } finally {
      // By now the job holds it, or nobody wants it.
      await retention.release(holder);
    }
  }

  async #welcome(site: AttachedSite): Promise<void> {
    const { name } = site.identity;
    const { deployments, tasks } = await this.#parts.jobs.desiredState(name);
    site.push(
      create(ServerMessageSchema, { message: { case: "desired", value: create(DesiredStateSchema, { jobs: deployments, tasks }) } }),
    );
    this.#journalForJobsOf(name, { type: "site-connected", site: name });
  }

  async #hear(site: string, message: SiteMessage, push: (message: ServerMessage) => void): Promise<void> {
    const { hub, jobs, now, logger } = this.#parts;
    const { case: kind, value } = message.message;
    switch (kind) {
      case "heartbeat":
        push(create(ServerMessageSchema, { message: { case: "heartbeat", value: create(HeartbeatSchema, { sentAtMs: BigInt(now()) }) } }));
        return;
      case "taskFailed": {
        const key = taskKeyFromWire(value.key);
        if (jobs.isParticipant(key.jobId, site)) {
          await hub.failTask(key, { type: "task-failed", round: key.round, task: key.task, site, error: peerError(value.errorJson) });
        }
        return;
      }
      case "jobLeft":
        if (jobs.isParticipant(value.jobId, site)) {
          logger.warn("site left a job", { site, job: value.jobId, error: { ...peerError(value.errorJson) } as never });
          await hub.append(value.jobId, { type: "site-left", site, error: peerError(value.errorJson) });
        }
        return;
      case "taskProgress":
        jobs.noteProgress(site, taskKeyFromWire(value.key), {
          phase: capPeerText(value.phase),
          done: Number(value.done),
          total: Number(value.total),
          atMs: now(),
        });
        return;
      case "hello":
      case undefined:
        return;
    }
  }

  #journalForJobsOf(site: string, event: Parameters<JournalHub["append"]>[1]): void {
    for (const jobId of this.#parts.jobs.runningJobsOf(site)) {
      this.#parts.hub
        .append(jobId, event)
        .catch((error: unknown) => this.#parts.logger.error("journal could not be written", { job: jobId, error: errorField(error) }));
    }
  }
}

function acceptedUpdate(site: string, update: ObjectRef, request: SubmitUpdateRequest): Extract<JobEvent, { type: "update-accepted" }> {
  const { round, task } = taskKeyFromWire(request.key);
  return {
    type: "update-accepted",
    round,
    task,
    site,
    update,
    paramsType: paramsType(request.paramsType),
    weight: positive(request.weight, site),
    metrics: metrics(request.metricsJson, site),
    meta: JSON.parse(request.metaJson === "" ? "{}" : request.metaJson) as Record<string, unknown>,
  };
}

async function heldObject(models: ModelStore, request: SubmitUpdateRequest): Promise<ObjectRef> {
  const { hash = "", size = 0n } = request.update ?? {};
  const held = isContentHash(hash) ? await models.find(hash) : undefined;
  if (held === undefined || held.size !== Number(size)) {
    throw new FlareError("runtime/update-missing", "The update's bytes are not in the server's store; upload them again.", {
      facts: { hash: capPeerText(hash) },
    });
  }
  return { hash: held.hash, size: held.size };
}

function paramsType(text: string): ParamsType {
  if (text === "FULL" || text === "DIFF") return text;
  throw new FlareError("runtime/bad-message", `An update's parameters are FULL or DIFF, not '${capPeerText(text)}'.`);
}

function positive(weight: number, site: string): number {
  if (Number.isFinite(weight) && weight > 0) return weight;
  throw new FlareError("runtime/bad-message", `The update of ${site} has the weight ${weight}; a weight is positive and finite.`, {
    facts: { site },
  });
}

function metrics(json: string, site: string): Metrics {
  const value: unknown = JSON.parse(json === "" ? "{}" : json);
  const isGood =
    typeof value === "object" && value !== null && Object.values(value).every((item) => typeof item === "number" && Number.isFinite(item));
  if (isGood) return value as Metrics;
  throw new FlareError("runtime/bad-message", `The metrics of ${site} are not an object of finite numbers.`, { facts: { site } });
}

function peerError(json: string): SerializedFlareError {
  try {
    const error = FlareError.fromJSON(JSON.parse(json) as SerializedFlareError).toJSON();
    return { ...error, message: capPeerText(error.message) };
  } catch {
    return { code: "internal/bug", message: capPeerText(json) };
  }
}
