import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type AuthorizationRequest, FlareError, isAllowed } from "@flare-ts/contracts";
import { readAuthorizationPolicy, readKit, readLocalResources, readLogConfig, verifyKit } from "@flare-ts/provision/kit";
import { ProcessJobLauncher } from "../job-process/process-job-launcher.js";
import { FileAuditLog } from "../logging/audit-log.js";
import { createLogger, type LogLine } from "../logging/logger.js";
import { claimInstance } from "../process/instance-lock.js";
import { refuseDebugger } from "../process/no-debugger.js";
import { StopList } from "../process/stop-list.js";
import { readProjectKeys } from "../session/project-keys.js";
import { FileModelStore } from "../store/file-model-store.js";
import { ObjectRetention } from "../store/object-retention.js";
import { openSqliteSiteStore } from "../store/sqlite-site-store.js";
import { TransferClient } from "../transfer/transfer-client.js";
import { dialServer } from "../transport/dial-server.js";
import { endpointOf } from "../transport/endpoint-of.js";
import { softwareVersion } from "../version.js";
import { JobAdmission } from "./job-admission.js";
import { ResultDelivery } from "./result-delivery.js";
import { ServerLink } from "./server-link.js";
import { SiteAgent } from "./site-agent.js";

export interface StartSiteInit {
  readonly kitDir: string;
  /** Folder for what the site keeps. @default the kit */
  readonly workspace?: string | undefined;
  readonly onLog?: ((line: LogLine) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A site that runs in this process. */
export interface RunningSite {
  readonly name: string;
  /** Stops in an orderly way; what is under way goes on at the next start. */
  stop(): Promise<void>;
}

const stopDeadlineMs = 15_000;

/**
 * Starts a site from its startup kit and resolves when it is attached to its server. From then on it comes back by itself
 * whenever the connection breaks.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), `runtime/already-running`, or why the server refuses (`auth/…`).
 */
export async function startSite(init: StartSiteInit): Promise<RunningSite> {
  const now = Date.now;
  refuseDebugger();
  const kit = await readKit(init.kitDir);
  if (kit.type !== "client")
    throw new FlareError("kit/wrong-type", `${kit.dir} is the kit of a ${kit.type}, not of a client.`, {
      facts: { dir: kit.dir, type: kit.type },
    });
  await verifyKit(kit);
  const [resources, policy, logConfig] = await Promise.all([readLocalResources(kit), readAuthorizationPolicy(kit), readLogConfig(kit)]);
  const workspace = init.workspace ?? kit.dir;
  await mkdir(workspace, { recursive: true });

  const parts = new StopList();
  try {
    const lock = claimInstance(workspace, now());
    parts.add("instance lock", () => lock.release());
    const { logger, close: closeLog } = createLogger({ folder: workspace, level: logConfig.level, onLine: init.onLog });
    parts.add("log", closeLog);
    const audit = new FileAuditLog({ folder: workspace, now });
    const store = await openSqliteSiteStore({ path: join(workspace, "site.db") });
    parts.add("store", () => store.close());
    const objectsFolder = join(workspace, "models");
    const models = await FileModelStore.open({ root: objectsFolder });
    const retention = new ObjectRetention({ models, logger });
    const transfer = new TransferClient({ store: models });
    const random = Math.random;
    const keys = readProjectKeys(kit);

    const link: ServerLink = new ServerLink({
      dial: (signal) => dialServer({ ...endpointOf(kit), keys }, signal),
      logger,
      random,
      now,
      hello: () => ({ softwareVersion, jobIds: agent.jobIds() }),
      onMessage: (message) => agent.hear(message),
    });
    const delivery = new ResultDelivery({ link, transfer, store, retention, logger, random });
    const isAllowedHere = (request: Omit<AuthorizationRequest, "site">): boolean =>
      isAllowed(policy, { ...request, site: { org: kit.org } });
    const admission = new JobAdmission(
      { link, transfer, models, store, retention, audit, now, isAllowed: isAllowedHere },
      { site: kit.name, project: kit.project, rootCaPem: kit.rootCaPem },
    );
    const launcher = new ProcessJobLauncher({ environment: process.env });
    const datasets = resources.type === "client" ? resources.datasets : {};
    const agent = new SiteAgent(
      { link, transfer, models, store, retention, delivery, admission, launcher, logger },
      { site: kit.name, workspace, datasets, modelsFolder: join(objectsFolder, "lent") },
    );
    parts.add("jobs", () => agent.stop());
    parts.add("deliveries", () => delivery.stop());
    parts.add("link", () => link.stop());

    await delivery.start();
    const stopEarly = (): void => void link.stop();
    init.signal?.addEventListener("abort", stopEarly, { once: true });
    await link.start();
    init.signal?.removeEventListener("abort", stopEarly);
    lock.update("ready");
    logger.info("site started", { site: kit.name, project: kit.project, server: `${kit.endpoint.host}:${kit.endpoint.port}` });
    return { name: kit.name, stop: () => parts.stop(stopDeadlineMs, logger) };
  } catch (error) {
    await parts.stop(stopDeadlineMs);
    throw error;
  }
}
