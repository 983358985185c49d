import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { type ContentHash, type ErrorCode, FlareError, limits, type SerializedFlareError } from "@flare-ts/contracts";
import { type DeployJob, DeployJobSchema, EndJobSchema, ServerMessageSchema } from "@flare-ts/contracts/wire";
import type { DiskBudget } from "../budget/disk-budget.js";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import { filesForApp } from "../job/job-manifest.js";
import type { JobStatus } from "../job/job-status.js";
import { layOutJob } from "../job/lay-out-job.js";
import type { ServerJobCalls } from "../job-process/job-channel.js";
import type { JobLauncher } from "../job-process/job-launcher.js";
import { JobSupervisor } from "../job-process/job-supervisor.js";
import type { CallHandlers } from "../job-process/rpc-peer.js";
import type { ServerJobSide, ServerParentSide } from "../job-process/rpc-sides.js";
import { errorField, type Logger } from "../logging/logger.js";
import type { StallClock } from "../progress/stall-clock.js";
import { ReceiptWriter } from "../receipt/receipt-writer.js";
import type { ProjectKeys } from "../session/project-keys.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { JobRecord, ServerStore } from "../store/server-store.js";
import type { StudyRegistry } from "../study/study-registry.js";
import { objectToWire, taskKeyToWire } from "../transport/wire-values.js";
import { GrowingModel } from "./growing-model.js";
import type { JobDefinition } from "./job-definition.js";
import { JobNeeds } from "./job-needs.js";
import type { JournalHub } from "./journal-hub.js";
import type { ObjectGrants } from "./object-grants.js";
import { serverJobCalls } from "./server-job-calls.js";
import type { SiteDirectory } from "./site-directory.js";
import type { TaskProgressReport } from "./task-progress-report.js";
import { TaskWatch } from "./task-watch.js";

export interface ServerJobComponents {
  readonly store: ServerStore;
  readonly hub: JournalHub;
  readonly models: ModelStore;
  readonly directory: SiteDirectory;
  readonly grants: ObjectGrants;
  readonly retention: ObjectRetention;
  /** Knows which sites belong to a study. */
  readonly studies: Pick<StudyRegistry, "studies">;
  readonly launcher: JobLauncher;
  /** Room on the disk is kept for the next model of a round. */
  readonly disk?: DiskBudget | undefined;
  /** The server's keys, with which it stands for what it did in a round. */
  readonly identity: { readonly current: ProjectKeys };
  readonly logger: Logger;
  readonly now: () => number;
  readonly stallClock: StallClock;
}

export interface ServerJobInit {
  readonly record: JobRecord;
  readonly definition: JobDefinition;
  /** Sites that take part, with the app of each. */
  readonly apps: Readonly<Record<string, string>>;
  /** Folder of the job: `<workspace>/<job id>`. */
  readonly workspace: string;
  readonly objectsFolder: string;
  /** A site's task in which nothing moves for so long is given up. */
  readonly stallMs: number;
  readonly onEnded: (jobId: string) => void;
}

/** The end of a job that could not be written down, for want of space, is tried again after so long. */
const endRetryMs = 5_000;

/** One running job at the server: gives its job process what it asks for, and carries tasks to the sites. */
export class ServerJob {
  readonly jobId: string;
  readonly study: string;
  readonly apps: Readonly<Record<string, string>>;
  readonly #parts: ServerJobComponents;
  readonly #init: ServerJobInit;
  readonly #logger: Logger;
  readonly #supervisor: JobSupervisor<ServerParentSide, ServerJobSide>;
  readonly #suspension = new AbortController();
  /** Ends what follows the journal, by who follows. */
  readonly #unfollow: { self?: () => void; process?: () => void } = {};
  /** Sites that have left; each is journalled once. */
  readonly #left = new Set<string>();
  /** Sites that may not take part any more. */
  readonly #released = new Set<string>();
  #ending: Promise<void> | undefined;
  #hasEnded = false;
  #isLive = false;
  readonly #needs: JobNeeds;
  readonly #watch: TaskWatch;
  #looking: NodeJS.Timeout | undefined;
  readonly #receipts: ReceiptWriter;
  readonly #growing: GrowingModel;

  constructor(components: ServerJobComponents, init: ServerJobInit) {
    this.#parts = components;
    this.#init = init;
    this.jobId = init.record.jobId;
    this.study = init.record.study;
    this.apps = init.apps;
    this.#needs = new JobNeeds({ files: [init.record.signedJob.hash, ...init.definition.manifest.files.map((file) => file.sha256)] });
    this.#logger = components.logger.child({ job: this.jobId });
    this.#growing = new GrowingModel(components);
    const { stallMs } = init;
    this.#watch = new TaskWatch(
      { clock: components.stallClock, attachmentOf: (site) => components.directory.attachmentOf(site) },
      { stallMs, lookMs: lookMs(stallMs), onStalled: (site, task, error) => this.#giveUp(site, task, error) },
    );
    this.#receipts = new ReceiptWriter(
      { identity: components.identity, append: (event) => components.hub.append(this.jobId, event) },
      { project: components.identity.current.trust.project, jobId: this.jobId },
    );
    this.#supervisor = new JobSupervisor<ServerParentSide, ServerJobSide>(
      { launcher: components.launcher, logger: this.#logger },
      {
        kind: "server",
        jobId: this.jobId,
        workspace: init.workspace,
        readable: [init.objectsFolder],
        handlers: this.#calls(),
        onRestart: (reason) => this.#journal({ type: "process-restarted", where: "server", reason }),
        onGivenUp: (error) => void this.#endInTheEnd("FINISHED:EXECUTION_EXCEPTION", error.message),
      },
    );
  }

  /** Lays the job out, and starts its job process; tells the sites that are attached. */
  async start(): Promise<void> {
    const { models, directory, hub, retention } = this.#parts;
    const { definition, workspace } = this.#init;
    await retention.hold(this.#holder, this.#needs.hashes());
    await layOutJob({
      manifest: definition.manifest,
      find: (hash) => models.find(hash),
      destination: workspace,
      app: definition.serverApp,
      site: "server",
      isLinked: true,
    });
    this.#unfollow.self = await hub.follow(this.jobId, (entry) => this.#note(entry));
    this.#isLive = true;
    this.#receipts.begin();
    await retention.keepOnly(this.#holder, this.#needs.hashes());
    // It may have been ended while it was laid out, such as for a submitter who is not trusted any more.
    if (this.#hasEnded) {
      this.#stopFollowing();
      return;
    }
    this.#looking = setInterval(() => this.#watch.look(), lookMs(this.#init.stallMs));
    for (const site of Object.keys(this.apps)) {
      const deployment = this.deploymentFor(site);
      if (deployment !== undefined && directory.get(site) !== undefined)
        directory.push(site, create(ServerMessageSchema, { message: { case: "deploy", value: deployment } }));
    }
    this.#supervisor.start();
  }

  /** What a site has to know to run this job; grants the site what it needs to read. */
  deploymentFor(site: string): DeployJob | undefined {
    const app = this.takesPart(site) ? this.apps[site] : undefined;
    if (app === undefined || this.#hasEnded) return undefined;
    const { record, definition } = this.#init;
    this.#parts.grants.grant(site, this.jobId, [
      record.signedJob.hash,
      ...filesForApp(definition.manifest, app).map((file) => file.sha256),
    ]);
    return create(DeployJobSchema, { jobId: this.jobId, signedJob: objectToWire(record.signedJob), app });
  }

  /** Whether a site has a part in this job, and is in its study still. */
  takesPart(site: string): boolean {
    const { studies } = this.#parts.studies;
    return Object.hasOwn(this.apps, site) && !this.#released.has(site) && studies.hasSite(this.study, site);
  }

  grantTask(site: string, model: ContentHash): void {
    this.#parts.grants.grant(site, this.jobId, [model]);
  }

  /** A site has said how far it is with its task. */
  hearProgress(site: string, round: number, report: TaskProgressReport): void {
    this.#watch.hear(site, round, report);
  }

  /** A site has stopped taking part, which it says again after each reconnection. */
  async siteLeft(site: string, error: SerializedFlareError): Promise<void> {
    if (this.#left.has(site) || this.#hasEnded) return;
    this.#left.add(site);
    this.#logger.warn("site left a job", { site, error: errorField(FlareError.fromJSON(error)) });
    try {
      await this.#parts.hub.append(this.jobId, { type: "site-left", site, error });
    } catch (reason) {
      this.#left.delete(site);
      throw reason;
    }
  }

  /** A site may not take part any more, for good: it is told that the job is over, and counts as one that has left. */
  async releaseSite(site: string, error: FlareError): Promise<void> {
    if (this.#released.has(site) || this.#hasEnded) return;
    this.#released.add(site);
    const { grants, directory } = this.#parts;
    grants.revokeFor(site, this.jobId);
    const value = create(EndJobSchema, { jobId: this.jobId, status: "FINISHED:ABORTED" satisfies JobStatus, reason: error.message });
    directory.push(site, create(ServerMessageSchema, { message: { case: "endJob", value } }));
    await this.siteLeft(site, error.toJSON());
  }

  /**
   * Ends the job for good, once: journals, tells the sites, stops the job process.
   *
   * @throws FlareError `store/full` and other reasons for which the end could not be made durable; the job then goes on.
   */
  end(status: JobStatus, reason: string, result?: ObjectRef): Promise<void> {
    this.#ending ??= this.#end(status, reason, result).catch((error: unknown) => {
      this.#ending = undefined;
      throw error;
    });
    return this.#ending;
  }

  /** Stops the job process without ending the job: the next start of the server goes on with it. */
  async suspend(): Promise<void> {
    this.#suspension.abort();
    this.#stopFollowing();
    // A closed channel is all that a job process needs to end; nothing of it is lost.
    await this.#supervisor.stop(() => this.#supervisor.hangUp());
  }

  async #end(status: JobStatus, reason: string, result: ObjectRef | undefined): Promise<void> {
    const { hub, directory, now } = this.#parts;
    await this.#receipts.settled();
    const change = { status, reason, endTimeMs: now(), ...(result === undefined ? {} : { result }) };
    await hub.changeJob(this.jobId, change, { type: "job-ended", status, reason });
    this.#hasEnded = true;
    this.#logger.info("job ended", { status, reason });
    const message = create(EndJobSchema, { jobId: this.jobId, status, reason });
    for (const site of Object.keys(this.apps)) {
      directory.push(site, create(ServerMessageSchema, { message: { case: "endJob", value: message } }));
    }
    this.#stopFollowing();
    // The call that ended the job must be answered before its process is stopped.
    setImmediate(() => {
      this.#clearAway().catch((error: unknown) => this.#logger.error("job could not be cleared away", { error: errorField(error) }));
    });
  }

  async #clearAway(): Promise<void> {
    const { grants, retention, hub, disk } = this.#parts;
    try {
      await this.#supervisor.stop();
      grants.revokeJob(this.jobId);
      disk?.reserve(this.#holder, 0);
      this.#needs.end();
      await retention.keepOnly(this.#holder, this.#needs.hashes());
    } finally {
      hub.forget(this.jobId);
      this.#init.onEnded(this.jobId);
    }
  }

  /** Ends a job that nothing else will end, however long that cannot be written down. */
  async #endInTheEnd(status: JobStatus, reason: string): Promise<void> {
    const { signal } = this.#suspension;
    while (!signal.aborted) {
      try {
        await this.end(status, reason);
        return;
      } catch (error) {
        this.#logger.error("the end of the job could not be written", { error: errorField(error) });
        await sleep(endRetryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** The round goes on without a site whose task does not move. */
  #giveUp(site: string, { round, task }: { readonly round: number; readonly task: string }, error: FlareError): void {
    const { hub, directory } = this.#parts;
    const key = { jobId: this.jobId, round, task };
    this.#logger.error("task is given up", { site, round, error: errorField(error) });
    hub
      .failTask(key, { type: "task-failed", round, task, site, error: error.toJSON() })
      .then(() => directory.push(site, create(ServerMessageSchema, { message: { case: "closeTask", value: taskKeyToWire(key) } })))
      .catch((reason: unknown) => this.#logger.error("journal could not be written", { error: errorField(reason) }));
  }

  #stopFollowing(): void {
    clearInterval(this.#looking);
    this.#unfollow.self?.();
    this.#unfollow.process?.();
    void this.#growing.stop().catch(() => undefined);
  }

  get #holder(): string {
    return `job:${this.jobId}`;
  }

  #calls(): CallHandlers<ServerJobCalls> {
    const { record, definition, workspace } = this.#init;
    const { hub, retention } = this.#parts;
    return serverJobCalls(
      { ...this.#parts, growing: this.#growing, logger: this.#logger },
      {
        record,
        definition,
        workspace,
        sites: Object.keys(this.apps),
        follow: async (onEntry) => {
          this.#unfollow.process?.();
          this.#unfollow.process = await hub.follow(this.jobId, onEntry);
        },
        notify: (entry) => this.#supervisor.notify("event", entry),
        takesPart: (site) => this.takesPart(site),
        grantTask: (site, model) => this.grantTask(site, model),
        complete: (event) => this.#nameLate(event),
        hold: (hash) => retention.hold(this.#holder, [hash]),
        end: (status, reason, result) => this.end(status, reason, result),
      },
    );
  }

  #note(entry: JournalEntry): void {
    const { retention, disk } = this.#parts;
    const { event } = entry;
    this.#receipts.note(entry);
    if (event.type === "step-opened" && this.#isLive) {
      const { round, step, attempt, sites } = event;
      this.#logger.info("step opened", { round, step, attempt, sites: [...sites] });
    }
    if (event.type === "round-opened") disk?.reserve(this.#holder, event.model.size);
    if (event.type === "round-closed") disk?.reserve(this.#holder, 0);
    if (event.type === "site-left") this.#left.add(event.site);
    if (event.type === "site-left" && forGood.has(event.error.code)) this.#released.add(event.site);
    this.#watch.note(event);
    const change = this.#needs.note(event);
    // While the past is told, an object of an early round must not be removed for want of a later entry.
    if (!this.#isLive) return;
    if (change === "more") void retention.hold(this.#holder, this.#needs.hashes());
    if (change === "less") void retention.keepOnly(this.#holder, this.#needs.hashes());
  }

  /** The workflow knows who is late, and this process why. */
  #nameLate(event: JobEvent): JobEvent {
    if (event.type !== "deadline-passed") return event;
    const late = this.#watch.lateIn(event.round);
    this.#logger.warn("round passed its deadline", { round: event.round, late: late.map(({ site, why }) => `${site}: ${why}`) });
    return { ...event, late };
  }

  #journal(event: Parameters<JournalHub["append"]>[1]): void {
    this.#parts.hub
      .append(this.jobId, event)
      .catch((error: unknown) => this.#logger.error("journal could not be written", { error: errorField(error) }));
  }
}

/** Why a site may not take part any more, whatever it does. */
const forGood: ReadonlySet<string> = new Set<ErrorCode>(["study/site-removed", "auth/site-disabled"]);

/** How often it is looked whether tasks move. */
function lookMs(stallMs: number): number {
  return Math.min(limits.heartbeatMs, Math.ceil(stallMs / 4));
}
