import { create } from "@bufbuild/protobuf";
import { type ContentHash, FlareError, isContentHash, limits } from "@flare-ts/contracts";
import {
  type ServerMessage,
  ServerMessageSchema,
  type SiteHello,
  type SiteMessage,
  type SubmitUpdateReply,
  SubmitUpdateReplySchema,
  type SubmitUpdateRequest,
} from "@flare-ts/contracts/wire";
import type { TaskKey } from "../job/job-event.js";
import { capPeerText, errorField, type Logger } from "../logging/logger.js";
import { stepOf } from "../secure-aggregation/step-tasks.js";
import { isObject } from "../store/is-object.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { AnswerEvent, ServerStore } from "../store/server-store.js";
import { sentWhole, type TransferAccount } from "../transfer/transfer-account.js";
import type { CallContext } from "../transport/connection.js";
import { objectFromWire, taskKeyFromWire, taskKeyText, taskKeyToWire } from "../transport/wire-values.js";
import { type ControlStreamsComponents, keepControlStream } from "./control-stream.js";
import type { JobTable } from "./job-table.js";
import type { JournalHub } from "./journal-hub.js";
import type { OutputService } from "./output-service.js";
import { peerError, readReport } from "./read-report.js";
import type { SiteCommands } from "./site-commands.js";
import type { AttachedSite, SiteDirectory, SiteSelf } from "./site-directory.js";
import type { SiteErrors } from "./site-errors.js";
import type { SiteOutbox } from "./site-outbox.js";
import type { TrustService } from "./trust-service.js";

export interface SiteServiceComponents extends ControlStreamsComponents {
  readonly directory: SiteDirectory;
  readonly jobs: JobTable;
  readonly hub: JournalHub;
  readonly store: Pick<ServerStore, "openTasksOf">;
  readonly models: ModelStore;
  readonly retention: ObjectRetention;
  readonly trust: Pick<TrustService, "greeting" | "hear">;
  /** What a site's upload of an object took. */
  readonly takeAccount: (site: string, hash: ContentHash) => TransferAccount | undefined;
  readonly output: Pick<OutputService, "hear">;
  readonly errors: Pick<SiteErrors, "note">;
  /** Commands of admins that sites carry out. */
  readonly commands: Pick<SiteCommands, "hear" | "gone">;
  readonly logger: Logger;
  /** A site has come or gone: waiting jobs may start now. */
  readonly onSitesChanged: () => void;
}

/** The control plane of sites: their control streams, and the updates that they hand in. */
export class SiteService {
  readonly #parts: SiteServiceComponents;
  readonly #maxClients: number;
  /** Sites whose control stream is open and which have not said hello yet: each takes a place too. */
  readonly #arriving = new Map<object, string>();

  constructor(components: SiteServiceComponents, init: { readonly maxClients: number }) {
    this.#parts = components;
    this.#maxClients = init.maxClients;
  }

  /**
   * Serves one control stream; a site of which nothing is heard for `limits.silenceMs`, or which does not take what it is told, is
   * disconnected. `onMessage` resolves when the next message can be taken.
   */
  attach(
    context: CallContext,
    send: (message: ServerMessage) => Promise<void>,
  ): { onMessage(message: SiteMessage): Promise<void>; onClose(reason: string): void } {
    const { directory, logger, now, onSitesChanged } = this.#parts;
    const { name } = context.identity;
    this.#requirePlace(name);
    const log = logger.child({ site: name, session: context.sessionId });
    const stream = keepControlStream(this.#parts, { sessionId: context.sessionId, logger: log, send });
    const { outbox } = stream;
    let site: AttachedSite | undefined;
    this.#arriving.set(stream, name);
    return {
      onMessage: async ({ message }) => {
        stream.mark();
        try {
          if (message.case !== "hello") await this.#hear(name, message, outbox);
          else if (site === undefined) {
            site = attachedSite(context, message.value, outbox, now());
            this.#arriving.delete(stream);
            await this.#welcome(site, message.value.trustNumber, outbox);
            log.info("site connected", { softwareVersion: site.hello.softwareVersion, relay: context.relay });
          }
        } catch (error) {
          log.error("message from site failed", { kind: message.case ?? "none", error: errorField(error) });
          if (message.case === "hello") stream.cut("its state could not be read");
        }
      },
      onClose: (reason) => {
        stream.end();
        this.#arriving.delete(stream);
        if (site === undefined) return;
        this.#parts.commands.gone(site);
        if (!directory.remove(site, reason)) return;
        log.info("site disconnected", { reason: capPeerText(reason) });
        this.#journalForJobsOf(name, { type: "site-disconnected", site: name, reason: capPeerText(reason) });
        onSitesChanged();
      },
    };
  }

  /** Accepts an update whose bytes are in the store or in the request; the reply is given when the acceptance is durable. */
  async submitUpdate(context: CallContext, request: SubmitUpdateRequest): Promise<SubmitUpdateReply> {
    const { hub, models, jobs, logger, retention, takeAccount } = this.#parts;
    const key = taskKeyFromWire(request.key);
    const site = context.identity.name;
    if (!jobs.isParticipant(key.jobId, site)) return create(SubmitUpdateReplySchema, { key: taskKeyToWire(key), outcome: "late" });
    const report = readReport(site, request);
    const { hash = "" } = request.update ?? {};
    const holder = `update:${site}:${taskKeyText(key)}`;
    const held = isContentHash(hash) ? [hash] : [];
    await retention.hold(holder, held);
    try {
      const update = await (request.updateBytes === undefined
        ? heldObject(models, request)
        : takeInline(models, request, request.updateBytes));
      const transfer = request.updateBytes === undefined ? takeAccount(site, update.hash) : sentWhole(update.size);
      const { round, task } = key;
      const answer: AnswerEvent =
        stepOf(task) === undefined
          ? { ...report, update, ...(transfer === undefined ? {} : { transfer }) }
          : { type: "step-answered", round, task, site, update };
      const outcome = await hub.acceptUpdate(key, answer);
      logger.debug("update handed in", { site, job: key.jobId, round: key.round, outcome, bytes: update.size });
      // By now the job holds it, or nobody wants it.
      await retention.release(holder);
      return create(SubmitUpdateReplySchema, { key: taskKeyToWire(key), outcome });
    } catch (error) {
      // What the site will try again need not be sent again; what it says of a task that it does not have must not be remembered.
      const isTriedAgain = FlareError.from(error).row.isRetryable && (await this.#isOpen(site, key));
      await (isTriedAgain ? retention.keepOnly(holder, held) : retention.release(holder));
      throw error;
    }
  }

  /** @throws FlareError `runtime/too-many-sites` */
  #requirePlace(name: string): void {
    const { directory } = this.#parts;
    const arriving = new Set(this.#arriving.values());
    if (directory.get(name) !== undefined || arriving.has(name)) return;
    const taken = directory.size + [...arriving].filter((other) => directory.get(other) === undefined).length;
    if (taken < this.#maxClients) return;
    throw new FlareError("runtime/too-many-sites", `${this.#maxClients} sites are connected; the server takes no more.`, {
      facts: { site: name, maxClients: this.#maxClients },
    });
  }

  async #isOpen(site: string, key: TaskKey): Promise<boolean> {
    const open = await this.#parts.store.openTasksOf(site).catch(() => []);
    return open.some((task) => taskKeyText(task) === taskKeyText(key));
  }

  async #welcome(site: AttachedSite, trustNumber: number, outbox: SiteOutbox): Promise<void> {
    const { directory, store, jobs, trust, onSitesChanged } = this.#parts;
    const { name } = site.identity;
    // From here on what comes up for the site waits in its outbox, so nothing falls between the state and what follows it.
    directory.add(site);
    const openTasks = await store.openTasksOf(name);
    const desired = create(ServerMessageSchema, { message: { case: "desired", value: jobs.desiredState(name, openTasks) } });
    outbox.open([...trust.greeting(name, trustNumber), desired]);
    this.#journalForJobsOf(name, { type: "site-connected", site: name });
    onSitesChanged();
  }

  async #hear(site: string, { case: kind, value }: SiteMessage["message"], outbox: SiteOutbox): Promise<void> {
    const { hub, jobs, errors, now } = this.#parts;
    switch (kind) {
      case "taskFailed": {
        const key = taskKeyFromWire(value.key);
        const job = jobs.ofParticipant(key.jobId, site);
        if (job === undefined) return;
        const error = peerError(value.errorJson);
        errors.note(site, job, error);
        await hub.failTask(key, { type: "task-failed", round: key.round, task: key.task, site, error });
        return;
      }
      case "jobLeft": {
        const job = jobs.ofParticipant(value.jobId, site);
        if (job === undefined) return;
        const error = peerError(value.errorJson);
        errors.note(site, job, error);
        await job.siteLeft(site, error);
        return;
      }
      case "jobOutput":
        await this.#parts.output.hear(site, value, outbox);
        return;
      case "taskProgress":
        jobs.noteProgress(site, taskKeyFromWire(value.key), {
          phase: capPeerText(value.phase),
          done: Number(value.done),
          total: Number(value.total),
          reason: capPeerText(value.reason),
          stillMs: Number(value.stillMs),
          atMs: now(),
        });
        return;
      case "trustState":
        this.#parts.trust.hear(site, value);
        return;
      case "commandAnswer":
        this.#parts.commands.hear(site, value);
        return;
      case "heartbeat":
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

function attachedSite({ identity, sessionId, relay }: CallContext, hello: SiteHello, outbox: SiteOutbox, sinceMs: number): AttachedSite {
  const { resources, allowsLogStreaming, privacy } = hello;
  const self: SiteSelf = {
    softwareVersion: capPeerText(hello.softwareVersion),
    nodeVersion: capPeerText(hello.nodeVersion),
    attachment: capPeerText(hello.attachment),
    resources: resources === undefined ? undefined : { gpus: resources.gpus, memPerGpuGiB: resources.memPerGpuGib },
    allowsLogStreaming,
    privacy:
      privacy === undefined
        ? undefined
        : {
            scopes: privacy.names.slice(0, limits.privacyScopes).map((name) => capPeerText(name)),
            defaultScope: privacy.defaultName === "" ? null : capPeerText(privacy.defaultName),
            ...secureScopes(privacy.secureMinSites),
          },
  };
  return { identity, sessionId, sinceMs, relay, hello: self, inlineBytes: hello.inlineBytes, push: (message) => outbox.push(message) };
}

function secureScopes(leastSites: Readonly<Record<string, number>>): { readonly secureMinSites?: Readonly<Record<string, number>> } {
  const known = Object.entries(leastSites).slice(0, limits.privacyScopes);
  return known.length === 0 ? {} : { secureMinSites: Object.fromEntries(known.map(([name, least]) => [capPeerText(name), least])) };
}

/** An update that came with the message is checked like one that was uploaded, and is durable when this resolves. */
async function takeInline(models: ModelStore, request: SubmitUpdateRequest, bytes: Uint8Array): Promise<ObjectRef> {
  const update = objectFromWire(request.update);
  if (bytes.byteLength > limits.inlineBytes) {
    throw new FlareError("runtime/bad-message", `An update of ${bytes.byteLength} bytes does not travel inside a message.`);
  }
  if (!isObject(bytes, update)) {
    throw new FlareError("transfer/hash-mismatch", `The ${bytes.byteLength} bytes of the update are not those of object ${update.hash}.`, {
      facts: { expected: update.hash, size: update.size },
    });
  }
  await models.importBytes(bytes);
  return update;
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
