import { join } from "node:path";
import { FlareError, limits } from "@flare-ts/contracts";
import { type Kit, writeDurably } from "@flare-ts/provision/kit";
import { type MemoryPlan, setByText } from "../budget/memory-plan.js";
import { CertificateRenewal } from "../identity/certificate-renewal.js";
import { graceOf } from "../identity/open-identity.js";
import type { OpenedIdentity } from "../identity/open-live-identity.js";
import { ProcessJobLauncher } from "../job-process/process-job-launcher.js";
import { errorField } from "../logging/logger.js";
import { machineResources } from "../operate/machine-resources.js";
import { OwnProcess } from "../operate/own-process.js";
import { OutputArchive } from "../output/output-archive.js";
import type { RunningKit } from "../process/open-kit.js";
import { type OpenParticipantInit, openParticipant } from "../process/open-participant.js";
import { systemStallClock } from "../progress/stall-clock.js";
import { Authenticator } from "../session/authenticator.js";
import { CallProofBinding, MutualTlsBinding } from "../session/connection-binding.js";
import type { Identity } from "../session/identity.js";
import { ObjectRetention } from "../store/object-retention.js";
import { openSqliteServerStore } from "../store/sqlite-server-store.js";
import { StudyRegistry } from "../study/study-registry.js";
import { TransferServer } from "../transfer/transfer-server.js";
import { endsAtServer, hostToListenOn } from "../transport/connection-security.js";
import { GrpcServerTransport } from "../transport/grpc-server-transport.js";
import { AdminService } from "./admin-service.js";
import { joinAudiences } from "./audience.js";
import { auditSessions } from "./audit-sessions.js";
import { CommandGate } from "./command-gate.js";
import { DisabledSites } from "./disabled-sites.js";
import { holdResultsAndWaitingJobs } from "./hold-stored-jobs.js";
import { createDefinitionReader } from "./job-definition.js";
import { JobDeletion } from "./job-deletion.js";
import { JobIntake } from "./job-intake.js";
import { JobScheduler } from "./job-scheduler.js";
import { JobSummaries } from "./job-summaries.js";
import { JobTable } from "./job-table.js";
import { JournalHub } from "./journal-hub.js";
import { ModelsOfOthers } from "./models-of-others.js";
import { ObjectGrants } from "./object-grants.js";
import { OperationService } from "./operation-service.js";
import { OutputService } from "./output-service.js";
import { RelayService } from "./relay-service.js";
import { RenewalService } from "./renewal-service.js";
import { SiteCommands } from "./site-commands.js";
import { SiteDirectory } from "./site-directory.js";
import { SiteErrors } from "./site-errors.js";
import { SiteExclusion } from "./site-exclusion.js";
import { SiteService } from "./site-service.js";
import { SiteTraffic } from "./site-traffic.js";
import { StudyBoundary } from "./study-boundary.js";
import { StudyService } from "./study-service.js";
import { SystemWatch } from "./system-watch.js";
import { TrustService } from "./trust-service.js";

export interface StartServerInit extends OpenParticipantInit {
  /** Port in place of the kit's. */
  readonly port?: number | undefined;
  /** Address to listen on. @default every address; loopback for clear text that is not allowed to leave the machine */
  readonly host?: string | undefined;
  /** Life of the certificates that the server gives out by renewal, in milliseconds. @default that of the project */
  readonly leafLifetimeMs?: number | undefined;
  /** What makes no progress for so long is given up; milliseconds. @default that of local/resources.json */
  readonly stallMs?: number | undefined;
}

/** A server that runs in this process. */
export interface RunningServer extends RunningKit {
  readonly name: string;
  readonly port: number;
  /** Stops in an orderly way; running jobs go on at the next start. */
  stop(): Promise<void>;
}

/**
 * Starts the server of a federation from its startup kit, goes on with the jobs that ran when it last stopped, and
 * resolves when it listens.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), `runtime/already-running`, `transfer/cannot-listen`,
 * `transfer/clear-refused`.
 */
export async function startServer(init: StartServerInit): Promise<RunningServer> {
  return openParticipant("server", init, async (participant) => {
    const { kit, resources, workspace, modelsFolder, models, lock, logger, audit, isAllowed, parts, now, keeper, opened } = participant;
    const { plan, disk, admission, logLevel, end } = participant;
    const store = await openSqliteServerStore({ path: join(workspace, "server.db") });
    parts.add("store", () => store.close());
    const studies = await StudyRegistry.open({ write: writeDurably, logger }, { localDir: kit.local.dir, workspace });
    const hub = new JournalHub({ store, now });
    const directory = new SiteDirectory({ now });
    const jobs = new JobTable();

    const mayUpload = async ({ kind, name, org, role }: Identity): Promise<boolean> =>
      kind === "client" ? jobs.runningJobsOf(name).length > 0 : isAllowed({ right: "submit_job", user: { name, org, role } });
    const grants = new ObjectGrants({
      mayUpload,
      onRefused: ({ name: who }, { code, message: reason }) => audit.write({ who, action: "submit_job", outcome: "refused", code, reason }),
    });
    const retention = new ObjectRetention({ models, logger, onRemoved: (hash) => grants.revokeObject(hash) });
    const readDefinition = createDefinitionReader({ models, trust: keeper.trust });
    const { jobHeapMiB: heapMiB, engineThreads } = plan;
    const launcher = new ProcessJobLauncher({ environment: process.env, heapMiB, engineThreads });
    const stallMs = init.stallMs ?? resources.stallMs;
    const { identity } = opened;
    const stallClock = systemStallClock;
    const disabled = await DisabledSites.open({ write: writeDurably }, { workspace });
    const exclusion = new SiteExclusion({
      disabled,
      jobs,
      sessionsOf: (name) => authenticator.sessionsOf(name).map(({ id }) => id),
      disconnect: (sessionId, reason) => disconnect(sessionId, reason),
      logger,
    });
    const boundary = new StudyBoundary({ registry: studies, jobs, store, grants, logger });
    const jobParts = { store, hub, models, directory, grants, retention, studies, launcher, identity, logger, now, disk, stallClock };
    const { maxJobs, maxClients } = resources;
    const scheduler = new JobScheduler(
      {
        ...jobParts,
        jobs,
        readDefinition,
        disabled,
        boundary: {
          keep: async (job) => {
            await boundary.keep(job);
            await exclusion.keep(job);
          },
        },
      },
      { ...jobsAtOnce(maxJobs, plan), workspace, objectsFolder: modelsFolder, stallMs },
    );
    const others = new ModelsOfOthers({ store, studies, isAllowed });
    const intake = new JobIntake(
      { hub, models, retention, others, studies, store, readDefinition, possession: grants, now, isAllowed },
      { workspace, trust: keeper.trust },
    );
    const archive = new OutputArchive({ folder: join(workspace, "job-output") });
    const output = new OutputService({ archive, jobs, store, logger, now });
    const traffic = new SiteTraffic({ steadyNow: () => performance.now() });
    const errors = new SiteErrors({ now });
    const summaries = new JobSummaries({ scheduler, jobs, admission, now });
    const system = new SystemWatch(
      {
        directory,
        jobs,
        studies,
        summaries,
        store,
        hub,
        traffic,
        errors,
        scheduler,
        admission,
        disk,
        identity,
        disabled,
        identityOf: (sessionId) => authenticator.session(sessionId)?.identity,
      },
      { serverName: kit.name, project: kit.project, startedAtMs: now(), maxMemoryBytes: plan.maxBytes },
    );
    const deletion = new JobDeletion({ hub, jobs, store, grants, retention, archive }, { workspace });
    const disconnect = (sessionId: string, reason: string): void => transport.disconnect(sessionId, reason);
    const heardOf = (sessionId: string): number => transport.heardOf(sessionId);
    const audience = joinAudiences([directory, { names: () => relays.names(), push: (name, message) => relays.push(name, message) }]);
    const trust = new TrustService({
      keeper,
      store,
      jobs,
      scheduler,
      readDefinition,
      directory,
      audience,
      logger,
      untrustedSessions: () => authenticator.untrustedSessions(),
      disconnect,
    });
    const relays = new RelayService({ trust, logger, now, disconnect, heardOf, stallClock });
    const renewals = await RenewalService.open(
      { ...opened, keeper, audience, audit, logger, now, onOwnReady: () => ownRenewal.renewNow() },
      { kit, workspace, leafLifetimeMs: init.leafLifetimeMs },
    );
    const ownRenewal = new CertificateRenewal({ identity, ask: () => renewals.renewOwn(), logger, now, random: Math.random });
    const transfer = new TransferServer({
      admission,
      store: models,
      guard: grants,
      possession: grants,
      onSent: (site, { hash, size }, account) => logger.debug("object sent", { site, hash, bytes: size, ...account }),
    });
    const commands = new SiteCommands();
    const sites = new SiteService(
      {
        takeAccount: (site, hash) => transfer.takeAccount(site, hash),
        directory,
        jobs,
        hub,
        store,
        models,
        retention,
        trust,
        output,
        errors,
        commands,
        logger,
        now,
        disconnect,
        heardOf,
        stallClock,
        onSitesChanged: () => scheduler.look(),
      },
      { maxClients },
    );
    const gate = new CommandGate({ store, studies, keeper, now, audit, isAllowed });
    const { maxBytes: maxMemoryBytes } = plan;
    const resourcesHere = { workspace, maxMemoryBytes, maxDiskBytes: disk?.maxBytes, gpus: undefined, forJobs: undefined };
    const own = new OwnProcess({ logLevel, resources: () => machineResources(resourcesHere), end, logger }, { watch: init.watch });
    const operations = new OperationService(
      { directory, studies, commands, disabled, exclusion, own, audit, logger, now, isAllowed },
      { serverName: kit.name },
    );
    const admins = new AdminService({
      gate,
      boundary,
      studies: new StudyService({ registry: studies, boundary, store, directory, logger, isAllowed }),
      store,
      hub,
      jobs,
      scheduler,
      intake,
      summaries,
      system,
      output,
      archive,
      deletion,
      readDefinition,
      grants,
      trust,
      renewals,
      operations,
      logger,
    });
    const renewalGraceMs = graceOf(kit);
    const { connectionSecurity } = kit.endpoint;
    const { isClearAllowed = false } = init;
    const host = init.host ?? hostToListenOn(connectionSecurity, isClearAllowed);
    const sessionAudit = auditSessions({ audit, logger, onEnded: (sessionId) => gate.forgetSession(sessionId), now });
    parts.add("refusals", () => sessionAudit.tellRest(true));
    const authenticator = new Authenticator(
      {
        audit: sessionAudit.audit,
        binding: endsAtServer(connectionSecurity) ? new MutualTlsBinding() : new CallProofBinding(),
        isAllowed: (certificate) => renewals.isAllowed(certificate),
        admit: (participantIdentity) => exclusion.requireEnabled(participantIdentity),
        keysShown: (fingerprint) => identity.keysShown(fingerprint, now()),
        shouldRenew: (participantIdentity) => renewals.shouldRenew(participantIdentity),
        now,
        steadyNow: () => performance.now(),
      },
      { project: kit.project, serverName: kit.name, keys: identity, renewalGraceMs },
    );
    const transport = new GrpcServerTransport(
      {
        handlers: {
          attach: (context, send) =>
            (context.identity.kind === "relay" ? relays : sites).attach(context, traffic.sendingTo(context.identity.name, send)),
          submitUpdate: (context, request) => sites.submitUpdate(context, traffic.handedIn(context.identity.name, request)),
          stat: (context, object, base) => transfer.stat(context, object, base),
          upload: (context, object, chunks) => transfer.upload(context, object, traffic.received(context.identity.name, chunks)),
          download: (context, object, offset, means) =>
            traffic.sent(context.identity.name, transfer.download(context, object, offset, means)),
          execute: (context, command) => admins.execute(context, command),
          watch: (context, command) => admins.watch(context, command),
          follow: (context, command) => admins.follow(context, command),
          renew: (proven) => renewals.renew(proven),
        },
        authenticator,
        logger,
      },
      {
        host,
        port: init.port ?? kit.endpoint.port,
        keys: identity,
        handshakeKeys: () => identity.forHandshakes(now()),
        connectionSecurity,
        isClearAllowed,
        renewalGraceMs,
        stallMs,
      },
    );

    await intake.clear();
    await holdResultsAndWaitingJobs({ store, retention, readDefinition, logger });
    await trust.refuseJobs();
    parts.add("jobs", () => scheduler.stop());
    await scheduler.start(init.signal);
    await retention.sweep();
    await renewEnded(opened, kit, now, () => renewals.renewOwn());
    const port = await transport.start();
    parts.add("transport", () => transport.stop(2_000));
    ownRenewal.start();
    parts.add("renewal", () => ownRenewal.stop());
    let shown = identity.certificate;
    const showInForce = (): void => {
      shown = identity.forHandshakes(now()).certificate;
      transport.renewTls();
    };
    parts.add("renewed identity", identity.onReplaced(showInForce));
    parts.add(
      "trust in handshakes",
      keeper.follow(() => {
        showInForce();
        void renewals.keepIssuer();
      }),
    );
    await renewals.keepIssuer();
    const lookAtIssuer = setInterval(() => void renewals.keepIssuer(), issuerLookMs);
    parts.add("issuer", () => clearInterval(lookAtIssuer));
    const removeAbandoned = setInterval(() => {
      retention
        .sweep(models.unchanged(limits.abandonedUploadMs))
        .catch((error: unknown) => logger.warn("abandoned uploads could not be looked for", { error: errorField(error) }));
    }, abandonedLookMs);
    parts.add("abandoned uploads", () => clearInterval(removeAbandoned));
    const endOverdue = setInterval(() => {
      sessionAudit.tellRest();
      for (const { session, reason } of authenticator.expiredSessions()) disconnect(session.id, reason);
      // A certificate that is shown for an old root's sake may have ended.
      if (identity.forHandshakes(now()).certificate !== shown) showInForce();
    }, limits.heartbeatMs);
    parts.add("sessions", () => clearInterval(endOverdue));
    lock.update("ready", port);
    logger.info("server started", { project: kit.project, host, port, connectionSecurity });
    return { name: kit.name, port };
  });
}

/** Jobs that run at the same time: as the operator says, and as memory allows. */
function jobsAtOnce(maxJobs: number, plan: MemoryPlan): { readonly maxJobs: number; readonly maxJobsSetBy: string } {
  return plan.jobs < maxJobs ? { maxJobs: plan.jobs, maxJobsSetBy: setByText(plan) } : { maxJobs, maxJobsSetBy: "max_jobs" };
}

/** What nobody goes on with is looked for so often. */
const abandonedLookMs = 3_600_000;

/** A new issuing certificate is asked for long before it is needed. */
const issuerLookMs = 600_000;

/** A server that slept past the end of its certificate renews it before anybody sees it. */
async function renewEnded({ identity }: OpenedIdentity, kit: Kit, now: () => number, renew: () => Promise<unknown>): Promise<void> {
  const { validTo } = identity.certificate;
  if (now() <= Date.parse(validTo)) return;
  const ended = (cause?: unknown): FlareError =>
    new FlareError("kit/expired", `The server's certificate expired on ${validTo}, and it could not be renewed here.`, {
      facts: { file: kit.startup.certificate, validTo },
      cause,
    });
  const outcome = await renew().catch((cause: unknown) => {
    throw ended(cause);
  });
  if (outcome !== "renewed") throw ended();
}
