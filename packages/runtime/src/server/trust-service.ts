import { create } from "@bufbuild/protobuf";
import { FlareError } from "@flare-ts/contracts";
import { type ServerMessage, ServerMessageSchema, type TrustState } from "@flare-ts/contracts/wire";
import type { TrustKeeper } from "@flare-ts/provision/kit";
import type { TrustUpdate } from "../admin/trust-update.js";
import { isFinished } from "../job/job-status.js";
import { capPeerText, errorField, type Logger } from "../logging/logger.js";
import type { UntrustedSession } from "../session/judge-session.js";
import type { ServerStore } from "../store/server-store.js";
import type { Audience } from "./audience.js";
import type { DefinitionReader } from "./job-definition.js";
import type { JobScheduler } from "./job-scheduler.js";
import type { JobTable } from "./job-table.js";
import { peerError } from "./read-report.js";
import type { SiteDirectory } from "./site-directory.js";

export interface TrustServiceComponents {
  readonly keeper: TrustKeeper;
  readonly store: Pick<ServerStore, "jobs">;
  readonly jobs: JobTable;
  readonly scheduler: Pick<JobScheduler, "abort">;
  readonly readDefinition: DefinitionReader;
  readonly directory: Pick<SiteDirectory, "get">;
  /** Whoever is told of a list. */
  readonly audience: Audience;
  readonly logger: Logger;
  /** Live sessions whose certificates are not trusted any more. */
  readonly untrustedSessions: () => readonly UntrustedSession[];
  /** Ends a session and closes its connection. */
  readonly disconnect: (sessionId: string, reason: string) => void;
}

/** Sites that are well answer at once; a command is not kept waiting for others. */
const acknowledgementMs = 1_000;

/** The server's part in revocation and in the change of roots: takes trust lists, cuts off whom they revoke, and tells the sites. */
export class TrustService {
  readonly #parts: TrustServiceComponents;
  /** Number of the list in force at each site, as it last said. */
  readonly #numbers = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  constructor(components: TrustServiceComponents) {
    this.#parts = components;
  }

  /**
   * Puts a trust list into force: first here, where whoever is revoked is cut off before anything else happens, then at the sites.
   * Resolves when it would survive a crash of this server. The list in force may be given again.
   *
   * @throws FlareError `trust/…` for a list that is refused, which changes nothing; `store/full` when it could not be written
   */
  async update(trustListText: string): Promise<TrustUpdate> {
    const { keeper, audience, logger } = this.#parts;
    const { trust } = keeper;
    // Somebody who came back with another certificate may stand there more than once.
    const before = new Set(trust.revoked.map((one) => JSON.stringify(one)));
    const outcome = keeper.accept(trustListText);
    const cut = this.#cutSessions();
    const revoked = trust.revoked.filter((one) => !before.has(JSON.stringify(one))).map(({ name }) => name);
    const gone = new Set(cut.map(({ session }) => session.identity.name));
    // A site that was cut for its relay's sake comes back by another way, or when its relay is replaced.
    const left = cut.filter(({ isForRelay }) => !isForRelay).map(({ session }) => session.identity.name);
    logger.info("trust list in force", { number: trust.number, outcome, revoked, sessions: cut.length });
    const refusing = this.#beginRefusing();
    const done = Promise.all([keeper.save(), refusing.then(({ ended }) => ended), this.#leaveJobs(new Set([...revoked, ...left]))]);
    // Sites leave the jobs of a submitter who is revoked; told too early, they would make those fail for want of sites.
    await Promise.allSettled([refusing]);
    for (const name of audience.names()) if (!gone.has(name)) this.#tell(name);
    await Promise.all([done, this.#acknowledged(gone)]);
    const attached = audience.names().filter((site) => !gone.has(site));
    return {
      number: trust.number,
      outcome,
      revoked,
      sessions: cut.map(({ session: { id, identity, connection } }) => ({
        name: identity.name,
        sessionId: id,
        address: connection.address,
      })),
      acknowledged: attached.filter((site) => this.#isUpToDate(site)),
      waiting: attached.filter((site) => !this.#isUpToDate(site)),
    };
  }

  /** What a site that attaches is told before anything else; nothing when it has the list in force. */
  greeting(site: string, number: number): readonly ServerMessage[] {
    const { keeper, logger } = this.#parts;
    this.#numbers.set(site, number);
    if (number > keeper.trust.number)
      logger.warn("a site has a newer trust list than this server; push it here again", { site, number, inForce: keeper.trust.number });
    return this.#isUpToDate(site) ? [] : this.#message();
  }

  /** A site says which list is in force there. */
  hear(site: string, { number, errorJson }: TrustState): void {
    if (errorJson !== "")
      this.#parts.logger.error("trust list was not taken", { site, error: errorField(FlareError.fromJSON(peerError(errorJson))) });
    this.#numbers.set(site, number);
    for (const look of this.#waiting) look();
  }

  /** Ends the unfinished jobs of submitters who are not trusted any more, whether they wait or run. */
  async refuseJobs(): Promise<void> {
    await (await this.#beginRefusing()).ended;
  }

  /** Resolves when the end of each of these jobs that runs has begun: what its sites say from then on does not change it. */
  async #beginRefusing(): Promise<{ readonly ended: Promise<unknown> }> {
    const { store, jobs, readDefinition, scheduler, logger } = this.#parts;
    const ends: Promise<void>[] = [];
    for (const { jobId, status, signedJob } of await store.jobs()) {
      if (isFinished(status)) continue;
      const error = await readDefinition(signedJob).then(
        () => undefined,
        (reason: unknown) => FlareError.from(reason),
      );
      if (error === undefined || !signerCodes.has(error.code)) continue;
      logger.warn("job is ended: its submitter is not trusted any more", { job: jobId, error: errorField(error) });
      const reason = capPeerText(`${error.code}: ${error.message}`);
      ends.push(jobs.get(jobId)?.end("FINISHED:ABORTED", reason) ?? scheduler.abort(jobId, reason));
    }
    return { ended: Promise.all(ends) };
  }

  #cutSessions(): readonly UntrustedSession[] {
    const { untrustedSessions, disconnect } = this.#parts;
    const cut = untrustedSessions();
    for (const { session, reason } of cut) disconnect(session.id, reason);
    return cut;
  }

  /** A round does not wait for a site that will not come back; the quorum of its job decides. */
  async #leaveJobs(names: ReadonlySet<string>): Promise<void> {
    const { jobs, directory, keeper } = this.#parts;
    for (const site of names) {
      if (directory.get(site) !== undefined && !this.#wasCut(site)) continue;
      const error = new FlareError("auth/certificate-revoked", `Trust list ${keeper.trust.number} revokes ${site}.`, { facts: { site } });
      for (const jobId of jobs.runningJobsOf(site)) await jobs.get(jobId)?.siteLeft(site, error.toJSON());
    }
  }

  #wasCut(site: string): boolean {
    const { directory, keeper } = this.#parts;
    const attached = directory.get(site);
    // Its stream may not have ended yet.
    return attached !== undefined && !keeper.trust.verify(attached.identity.chainPem, { nowMs: attached.sinceMs }).ok;
  }

  async #acknowledged(gone: ReadonlySet<string>): Promise<void> {
    const isDone = (): boolean => this.#parts.audience.names().every((site) => gone.has(site) || this.#isUpToDate(site));
    if (isDone()) return;
    const done = Promise.withResolvers<void>();
    const look = (): void => {
      if (isDone()) done.resolve();
    };
    const timer = setTimeout(() => done.resolve(), acknowledgementMs);
    this.#waiting.add(look);
    await done.promise;
    this.#waiting.delete(look);
    clearTimeout(timer);
  }

  #isUpToDate(site: string): boolean {
    return (this.#numbers.get(site) ?? 0) >= this.#parts.keeper.trust.number;
  }

  #tell(site: string): void {
    for (const message of this.#message()) this.#parts.audience.push(site, message);
  }

  #message(): readonly ServerMessage[] {
    const text = this.#parts.keeper.trust.trustListText;
    return text === undefined ? [] : [create(ServerMessageSchema, { message: { case: "trustList", value: { text } } })];
  }
}

const signerCodes = new Set<string>(["job/signer-revoked", "job/signer-untrusted", "job/wrong-project"]);
