import { type Kit, makeFolder, readKit, readLogConfig, TrustKeeper, verifyKit } from "@flare-ts/provision/kit";
import { type OpenedIdentity, openLiveIdentity } from "../identity/open-live-identity.js";
import { type AuditLog, FileAuditLog } from "../logging/audit-log.js";
import type { LogLevelSwitch } from "../logging/log-level-switch.js";
import { createLogger, errorField, type LogFields, type Logger, type LogLevel, type LogLine } from "../logging/logger.js";
import type { Ending, Watch } from "../operate/ending.js";
import { whenThereIsRoom } from "../store/when-there-is-room.js";
import { endOnCrash } from "./end-on-crash.js";
import { claimInstance, type InstanceLock } from "./instance-lock.js";
import { refuseDebugger } from "./no-debugger.js";
import { forgetShutdown, noteShutdown } from "./shutdown-note.js";
import { StopList } from "./stop-list.js";
import { wrongKit } from "./wrong-kit.js";

export interface OpenKitInit {
  readonly kitDir: string;
  /** Folder for what the process keeps. @default the kit */
  readonly workspace?: string | undefined;
  readonly onLog?: ((line: LogLine) => void) | undefined;
  /** Ends the start. */
  readonly signal?: AbortSignal | undefined;
  /** When what watches over this process starts it again; without it an admin's restart is refused. @default nobody does */
  readonly watch?: Watch | undefined;
}

/** A process that runs from a kit. */
export interface RunningKit {
  /** An admin has had it end: it stops by itself then, in good order. */
  readonly asked: Promise<Ending>;
  /** Stops in good order, once; resolves when it has. */
  stop(): Promise<void>;
}

/** What the processes that run from a kit have in common. */
export interface OpenedKit {
  readonly kit: Kit;
  readonly workspace: string;
  readonly lock: InstanceLock;
  readonly logger: Logger;
  readonly logLevel: LogLevelSwitch;
  readonly audit: AuditLog;
  /** Whom the project trusts, from this start to the next. */
  readonly keeper: TrustKeeper;
  /** Who the process is, which changes by renewal. */
  readonly opened: OpenedIdentity;
  /** Has the process end in good order. */
  readonly end: (ending: Ending) => void;
  /** What was started so far; it stops in reverse. */
  readonly parts: StopList;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface OpenKitSteps<Settings, Running> {
  /** Reads what else the kit says, before anything is claimed or written. */
  readonly read: (kit: Kit) => Settings | Promise<Settings>;
  readonly start: (opened: OpenedKit, settings: Settings) => Promise<Running>;
}

const stopDeadlineMs = 15_000;

/**
 * Reads and verifies a kit, claims its workspace, opens log, identity and audit log, and hands them to `start`. When that fails, everything
 * is closed again. A disk that is full is waited for.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), `runtime/already-running`, and what the steps throw.
 */
export async function openKit<Settings, Running>(
  type: Kit["type"],
  init: OpenKitInit,
  steps: OpenKitSteps<Settings, Running>,
): Promise<Running & RunningKit> {
  // Ending would be for good: a watchdog takes an error that has been told for one that stays.
  const onFull = (error: unknown): void =>
    init.onLog?.({ level: "error", message: "the start waits for room on the disk", fields: { error: errorField(error) } });
  return await whenThereIsRoom(() => openOnce(type, init, steps), { signal: init.signal, onFull });
}

async function openOnce<Settings, Running>(
  type: Kit["type"],
  init: OpenKitInit,
  { read, start }: OpenKitSteps<Settings, Running>,
): Promise<Running & RunningKit> {
  refuseDebugger();
  const kit = await readKit(init.kitDir);
  if (kit.type !== type) throw wrongKit(kit, type);
  const workspace = init.workspace ?? kit.dir;
  const keeper = await TrustKeeper.open(kit, { workspace });
  await verifyKit(kit, { trust: keeper.trust, isCertificateJudged: false });
  const [settings, { level }] = await Promise.all([read(kit), readLogConfig(kit)]);
  await makeFolder(workspace);
  const now = Date.now;
  const parts = new StopList();
  try {
    const lock = claimInstance(workspace, now());
    forgetShutdown(workspace);
    parts.add("instance lock", () => lock.release());
    const log = createLogger({ folder: workspace, level, onLine: init.onLog });
    const { logger } = log;
    parts.add("log", () => log.close());
    parts.add("crash", endOnCrash(logger));
    const warn = (message: string, fields: LogFields): void => logger.warn(message, fields);
    for (const file of kit.local.withoutEffect) logger.warn("a file in local/ is FLARE's and has no effect here", { file });
    for (const misnamed of kit.local.misnamed) logger.warn("a file in local/ is read by nobody: another name was meant", misnamed);
    const opened = await openLiveIdentity({ kit, workspace, trust: keeper.trust, nowMs: now(), warn });
    const audit = new FileAuditLog({ logger, now }, { folder: workspace });
    const asked = Promise.withResolvers<Ending>();
    const stop = (): Promise<void> => parts.stop(stopDeadlineMs, logger);
    const end = (ending: Ending): void => {
      if (ending.how === "shutdown") noteShutdown(workspace, { by: ending.by, atMs: now() });
      asked.resolve(ending);
      void stop();
    };
    const logLevel = levelSwitch(kit, (next) => log.setLevel(next));
    const running = await start({ kit, workspace, lock, logger, logLevel, audit, keeper, opened, parts, now, end }, settings);
    return { ...running, asked: asked.promise, stop };
  } catch (error) {
    await parts.stop(stopDeadlineMs);
    throw error;
  }
}

function levelSwitch(kit: Kit, apply: (level: LogLevel) => void): LogLevelSwitch {
  const set = (level: LogLevel): LogLevel => {
    apply(level);
    return level;
  };
  return { set, reload: async () => set((await readLogConfig(kit)).level) };
}
