import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type AuthorizationRequest, FlareError, isAllowed } from "@flare-ts/contracts";
import {
  type Kit,
  type LocalResources,
  readAuthorizationPolicy,
  readKit,
  readLocalResources,
  readLogConfig,
  TrustKeeper,
  verifyKit,
} from "@flare-ts/provision/kit";
import { Admission } from "../budget/admission.js";
import { DiskBudget } from "../budget/disk-budget.js";
import { type MemoryPlan, memoryOfMachine, planMemory, setByText } from "../budget/memory-plan.js";
import { ThreadLoad } from "../budget/thread-load.js";
import { type OpenedIdentity, openLiveIdentity } from "../identity/open-live-identity.js";
import { type AuditLog, FileAuditLog } from "../logging/audit-log.js";
import { createLogger, errorField, type LogFields, type Logger, type LogLine } from "../logging/logger.js";
import { FileModelStore } from "../store/file-model-store.js";
import { whenThereIsRoom } from "../store/when-there-is-room.js";
import { endOnCrash } from "./end-on-crash.js";
import { claimInstance, type InstanceLock } from "./instance-lock.js";
import { refuseDebugger } from "./no-debugger.js";
import { StopList } from "./stop-list.js";

export interface OpenParticipantInit {
  readonly kitDir: string;
  /** Folder for what the participant keeps. @default the kit */
  readonly workspace?: string | undefined;
  /** Whether clear text may leave this machine, where the kit says `clear`. @default false */
  readonly isClearAllowed?: boolean | undefined;
  readonly onLog?: ((line: LogLine) => void) | undefined;
  /** Memory that all its processes may hold, at a site without trainers. @default `max_memory` of local/resources.json, or no limit */
  readonly maxMemoryBytes?: number | undefined;
  /** What its workspace may hold. @default `max_disk` of local/resources.json, or no limit */
  readonly maxDiskBytes?: number | undefined;
  /** Ends the start. */
  readonly signal?: AbortSignal | undefined;
}

/** Asks a participant's own policy; the participant is the site that the policy speaks of. */
export type PolicyCheck = (request: Omit<AuthorizationRequest, "site">) => boolean;

/** What the parent process of a server and that of a site have in common. */
export interface Participant<Type extends "server" | "client"> {
  readonly kit: Kit;
  readonly resources: Extract<LocalResources, { type: Type }>;
  readonly workspace: string;
  readonly modelsFolder: string;
  readonly models: FileModelStore;
  readonly lock: InstanceLock;
  readonly logger: Logger;
  readonly audit: AuditLog;
  readonly isAllowed: PolicyCheck;
  /** Whom the project trusts, from this start to the next. */
  readonly keeper: TrustKeeper;
  /** Who the participant is, which changes by renewal. */
  readonly opened: OpenedIdentity;
  /** What was started so far; it stops in reverse. */
  readonly parts: StopList;
  /** What its memory allows at once. */
  readonly plan: MemoryPlan;
  /** What its disk allows; `undefined` where no limit was set. */
  readonly disk: DiskBudget | undefined;
  /** Lets transfers in as both allow. */
  readonly admission: Admission;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Transfers at full speed that a server serves at once: more take turns at the same processor, and hold more memory. */
const busyTransfers = 4;
const stopDeadlineMs = 15_000;

/**
 * Reads and verifies a kit, claims its workspace, opens log, audit log and model store, and hands them to `start`. When that
 * fails, everything is closed again. A disk that is full is waited for.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), `runtime/already-running`, and what `start` throws.
 */
export async function openParticipant<Type extends "server" | "client", Running>(
  type: Type,
  init: OpenParticipantInit,
  start: (participant: Participant<Type>) => Promise<Running>,
): Promise<Running & { stop(): Promise<void> }> {
  // Ending would be for good: a watchdog takes an error that has been told for one that stays.
  const onFull = (error: unknown): void =>
    init.onLog?.({ level: "error", message: "the start waits for room on the disk", fields: { error: errorField(error) } });
  return await whenThereIsRoom(() => openOnce(type, init, start), { signal: init.signal, onFull });
}

async function openOnce<Type extends "server" | "client", Running>(
  type: Type,
  init: OpenParticipantInit,
  start: (participant: Participant<Type>) => Promise<Running>,
): Promise<Running & { stop(): Promise<void> }> {
  refuseDebugger();
  const kit = await readKit(init.kitDir);
  if (kit.type !== type) throw wrongKit(kit, type);
  const workspace = init.workspace ?? kit.dir;
  const keeper = await TrustKeeper.open(kit, { workspace });
  await verifyKit(kit, { trust: keeper.trust, isCertificateJudged: false });
  const [resources, policy, logConfig] = await Promise.all([readLocalResources(kit), readAuthorizationPolicy(kit), readLogConfig(kit)]);
  if (!isOfType(resources, type)) throw wrongKit(kit, type);
  const { maxMemoryBytes = resources.maxMemoryBytes, maxDiskBytes = resources.maxDiskBytes } = init;
  const plan = planMemory({ kind: type, maxBytes: maxMemoryBytes, machineBytes: memoryOfMachine() });
  await mkdir(workspace, { recursive: true });
  const now = Date.now;
  const parts = new StopList();
  try {
    const lock = claimInstance(workspace, now());
    parts.add("instance lock", () => lock.release());
    const log = createLogger({ folder: workspace, level: logConfig.level, onLine: init.onLog });
    const { logger } = log;
    parts.add("log", () => log.close());
    parts.add("crash", endOnCrash(logger));
    const warn = (message: string, fields: LogFields): void => logger.warn(message, fields);
    const opened = await openLiveIdentity({ kit, workspace, trust: keeper.trust, nowMs: now(), warn });
    const audit = new FileAuditLog({ logger, now }, { folder: workspace });
    const modelsFolder = join(workspace, "models");
    // A server's job processes are done with what the journal does not need any more. A trainer may have a model mapped into its memory for
    // as long as it runs.
    const models = await FileModelStore.open({ root: modelsFolder, reuse: type === "server" ? "all" : "unseen" });
    parts.add("spare files", async () => void (await models.releaseSpares()));
    const disk = maxDiskBytes === undefined ? undefined : new DiskBudget({ models }, { folder: workspace, maxBytes: maxDiskBytes });
    const steadyNow = (): number => performance.now();
    const load = new ThreadLoad();
    const admission = new Admission(
      { logger, now, steadyNow, disk, isThreadBusy: () => load.isBusy() },
      { most: plan.transfers, setBy: setByText(plan), ...(type === "server" ? { mostBusy: busyTransfers } : {}) },
    );
    const isAllowedHere: PolicyCheck = (request) => isAllowed(policy, { ...request, site: { org: kit.org } });
    const running = await start({
      kit,
      resources,
      workspace,
      modelsFolder,
      models,
      lock,
      logger,
      audit,
      isAllowed: isAllowedHere,
      keeper,
      opened,
      parts,
      plan,
      disk,
      admission,
      now,
    });
    return { ...running, stop: () => parts.stop(stopDeadlineMs, logger) };
  } catch (error) {
    await parts.stop(stopDeadlineMs);
    throw error;
  }
}

function isOfType<Type extends "server" | "client">(
  resources: LocalResources,
  type: Type,
): resources is Extract<LocalResources, { type: Type }> {
  return resources.type === type;
}

function wrongKit(kit: Kit, wanted: string): FlareError {
  return new FlareError(
    "kit/wrong-type",
    `${kit.dir} is the kit of ${kit.type === "admin" ? "an" : "a"} ${kit.type}, not of a ${wanted}.`,
    {
      facts: { dir: kit.dir, type: kit.type },
    },
  );
}
