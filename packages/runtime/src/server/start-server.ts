import { join } from "node:path";
import { ProcessJobLauncher } from "../job-process/process-job-launcher.js";
import { type OpenParticipantInit, openParticipant } from "../process/open-participant.js";
import { Authenticator } from "../session/authenticator.js";
import { CallProofBinding, MutualTlsBinding } from "../session/connection-binding.js";
import type { Identity } from "../session/identity.js";
import { readProjectKeys } from "../session/project-keys.js";
import { ObjectRetention } from "../store/object-retention.js";
import { openSqliteServerStore } from "../store/sqlite-server-store.js";
import { TransferServer } from "../transfer/transfer-server.js";
import { endsAtServer } from "../transport/connection-security.js";
import { GrpcServerTransport } from "../transport/grpc-server-transport.js";
import { AdminService } from "./admin-service.js";
import { auditSessions } from "./audit-sessions.js";
import { holdResultsAndWaitingJobs } from "./hold-stored-jobs.js";
import { createDefinitionReader } from "./job-definition.js";
import { JobIntake } from "./job-intake.js";
import { JobScheduler } from "./job-scheduler.js";
import { JobTable } from "./job-table.js";
import { JournalHub } from "./journal-hub.js";
import { ObjectGrants } from "./object-grants.js";
import { SiteDirectory } from "./site-directory.js";
import { SiteService } from "./site-service.js";
import { TrustService } from "./trust-service.js";

export interface StartServerInit extends OpenParticipantInit {
  /** Port in place of the kit's. */
  readonly port?: number | undefined;
  /** Address to listen on. @default every address; loopback for clear text that is not allowed to leave the machine */
  readonly host?: string | undefined;
}

/** A server that runs in this process. */
export interface RunningServer {
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
    const { kit, resources, workspace, modelsFolder, models, lock, logger, audit, isAllowed, parts, now, keeper } = participant;
    const store = await openSqliteServerStore({ path: join(workspace, "server.db") });
    parts.add("store", () => store.close());
    const hub = new JournalHub({ store, now });
    const directory = new SiteDirectory({ now });
    const jobs = new JobTable();

    const mayUpload = ({ kind, name, org, role }: Identity): Promise<boolean> =>
      Promise.resolve(
        kind === "client" ? jobs.runningJobsOf(name).length > 0 : isAllowed({ right: "submit_job", user: { name, org, role } }),
      );
    const grants = new ObjectGrants({ mayUpload });
    const retention = new ObjectRetention({ models, logger, onRemoved: (hash) => grants.revokeObject(hash) });
    const readDefinition = createDefinitionReader({ models, trust: keeper.trust });
    const launcher = new ProcessJobLauncher({ environment: process.env });
    const jobParts = { store, hub, models, directory, grants, retention, launcher, logger, now };
    const { maxJobs, maxClients } = resources;
    const scheduler = new JobScheduler({ ...jobParts, jobs, readDefinition }, { maxJobs, workspace, objectsFolder: modelsFolder });
    const intake = new JobIntake({ hub, models, retention, now, isAllowed }, { workspace, trust: keeper.trust });
    const disconnect = (sessionId: string, reason: string): void => transport.disconnect(sessionId, reason);
    const trust = new TrustService({
      keeper,
      store,
      jobs,
      scheduler,
      readDefinition,
      directory,
      logger,
      untrustedSessions: () => authenticator.untrustedSessions(),
      disconnect,
    });
    const sites = new SiteService(
      {
        directory,
        jobs,
        hub,
        store,
        models,
        retention,
        trust,
        logger,
        now,
        disconnect,
        onSitesChanged: () => scheduler.look(),
      },
      { maxClients },
    );
    const admins = new AdminService(
      { store, hub, jobs, scheduler, intake, directory, grants, trust, keeper, now, audit, logger, isAllowed },
      { serverName: kit.name, project: kit.project, startedAtMs: now() },
    );
    const transfer = new TransferServer({ store: models, guard: grants });

    const keys = readProjectKeys(kit, keeper.trust);
    const { connectionSecurity } = kit.endpoint;
    const { isClearAllowed = false } = init;
    const host = init.host ?? (connectionSecurity === "clear" && !isClearAllowed ? "127.0.0.1" : "0.0.0.0");
    const authenticator = new Authenticator(
      {
        audit: auditSessions({ audit, logger, onEnded: (sessionId) => admins.forgetSession(sessionId) }),
        binding: endsAtServer(connectionSecurity) ? new MutualTlsBinding() : new CallProofBinding(),
        now,
        steadyNow: () => performance.now(),
      },
      { project: kit.project, serverName: kit.name, keys },
    );
    const transport = new GrpcServerTransport(
      {
        handlers: {
          attach: (context, send) => sites.attach(context, send),
          submitUpdate: (context, request) => sites.submitUpdate(context, request),
          stat: (context, object) => transfer.stat(context, object),
          upload: (context, object, chunks) => transfer.upload(context, object, chunks),
          download: (context, object, offset) => transfer.download(context, object, offset),
          execute: (context, command) => admins.execute(context, command),
          watch: (context, command) => admins.watch(context, command),
        },
        authenticator,
        logger,
      },
      { host, port: init.port ?? kit.endpoint.port, keys, connectionSecurity, isClearAllowed },
    );

    await intake.clear();
    await holdResultsAndWaitingJobs({ store, retention, readDefinition, logger });
    await trust.refuseJobs();
    await scheduler.start();
    parts.add("jobs", () => scheduler.stop());
    await retention.sweep();
    const port = await transport.start();
    parts.add("transport", () => transport.stop(2_000));
    lock.update("ready", port);
    logger.info("server started", { project: kit.project, host, port, connectionSecurity });
    return { name: kit.name, port };
  });
}
