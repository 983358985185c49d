import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts/errors";
import { executorFor } from "@flare-ts/contracts/job";
import { createClientApiExecutor } from "../executor/client-api-executor.js";
import type { ExecutorEntry } from "../executor/executor-table.js";
import { hideSecrets } from "../executor/hide-secrets.js";
import { createLogger, errorField, type Logger } from "../logging/logger.js";
import { settlesWithin } from "../process/deadline.js";
import { giveBackHeap } from "../process/give-back-heap.js";
import { reusedRandomBytes } from "../process/reused-random-bytes.js";
import { useSmallPools } from "../process/small-pools.js";
import { systemStallClock } from "../progress/stall-clock.js";
import { whenThereIsRoom } from "../store/when-there-is-room.js";
import { LogTail } from "./log-tail.js";
import { parentChannel } from "./node-ipc-channel.js";
import { prepareUpdate } from "./prepare-update.js";
import { RpcPeer } from "./rpc-peer.js";
import type { SiteJobPeer, SiteJobSide, SiteParentSide } from "./rpc-sides.js";
import { updateFormFor } from "./shape-update.js";
import { SiteJobTasks, type SiteJobTasksComponents } from "./site-job-tasks.js";

/** How long a job that is over waits for its last log lines to be taken. */
const lastLinesMs = 1_000;

/**
 * The program of a site's job process: it runs the job's executors, holds no key and no network connection, and ends with its
 * parent. Its log is `log.json` in the job's workspace.
 */
useSmallPools();
const channel = parentChannel();
const entries: ExecutorEntry[] = [];
const tails: LogTail[] = [];
/** Values that trainers were given and that no line is to carry away; an operator may have changed one while the job runs. */
const secretValues = new Set<string>();
const started = Promise.withResolvers<readonly ExecutorEntry[]>();
// Tasks report the reason; without one there is nobody to tell.
started.promise.catch(() => {});

const peer: SiteJobPeer = new RpcPeer<SiteJobSide, SiteParentSide>(
  { channel },
  {
    handlers: {},
    listeners: {
      task: (task) => tasks.take(task),
      cancelTask: (key) => tasks.cancel(key),
      stop: ({ reason }) =>
        void tasks
          .stop(reason)
          .then(endTails)
          .then(() => process.exit(0)),
    },
  },
);
// Known when the executors are, before which no task has a result.
let shape: SiteJobTasksComponents["shape"] = (result) => Promise.resolve({ result });
const tasks = new SiteJobTasks({ parent: peer, executors: started.promise, shape: (...given) => shape(...given) });

channel.onClose(() => exitAtOnce());
// Without a listener this signal opens Node's debugger, by which a trainer could run its code in this process.
process.on("SIGUSR1", () => {});
process.once("SIGTERM", exitAtOnce);
process.once("SIGINT", exitAtOnce);

peer.start();
const { job, app } = await peer.call("begin", {});
const { logger } = createLogger({ folder: job.workspace, level: "info" });
if (job.streamsLogs) await startTails();
try {
  await whenThereIsRoom(() => startExecutors(logger), {
    onFull: (error) => logger.error("executors cannot be started yet", { error: errorField(error) }),
  });
  started.resolve(entries);
} catch (reason) {
  logger.error("executors could not be started", { error: errorField(reason) });
  started.reject(FlareError.from(reason));
}
giveBackHeap();

async function startExecutors(log: Logger): Promise<void> {
  entries.length = 0;
  const randomBytes = reusedRandomBytes();
  shape = async (result, task, signal) => {
    const { filters = [] } = executorFor(app.resultFilters, task.key.task) ?? {};
    const form = updateFormFor(task.key.task, app.resultFilters, job.updateForm);
    const prepared = await prepareUpdate(result, { task, filters, form, randomBytes, signal });
    if (prepared.obstacle !== undefined) log.warn("an update is sent as it is", { form, error: errorField(prepared.obstacle) });
    return prepared;
  };
  for (const [index, { tasks: names, executor: settings }] of app.executors.entries()) {
    const executor = await createClientApiExecutor({
      clock: systemStallClock,
      settings,
      job,
      folderName: `client_api_${index}`,
      onLog: ({ key, value, round, step }) => peer.tell("log", { key, value, round, step }),
      readSecrets,
      onRestart: (error) => log.warn("trainer is started again", { error: errorField(error) }),
    });
    entries.push({ tasks: names, executor });
  }
}

async function readSecrets(secrets: readonly string[]): Promise<Readonly<Record<string, string>>> {
  if (secrets.length === 0) return {};
  const { values } = await peer.call("secrets", { names: secrets });
  for (const value of Object.values(values)) secretValues.add(value);
  return values;
}

/** What trainers print, and what this process says of the job. */
async function startTails(): Promise<void> {
  for (const [source, file] of [
    ["trainer", "trainer.log"],
    ["job", "log.json"],
  ] as const) {
    const tail = new LogTail(
      {
        take: async (texts) => void (await peer.call("lines", { source, texts })),
        hide: (lines) => hideSecrets(lines, [...secretValues]),
      },
      { file: join(job.workspace, file) },
    );
    await tail.start();
    tails.push(tail);
  }
}

async function endTails(): Promise<void> {
  // The parent may be gone, or too busy: nothing waits for that.
  await settlesWithin(Promise.allSettled(tails.map((tail) => tail.stop())), lastLinesMs);
}

function exitAtOnce(): void {
  for (const { executor } of entries) executor.kill();
  process.exit(0);
}
