import { randomBytes } from "node:crypto";
import { createEngine } from "@flare-ts/aggregator";
import { useSmallPools } from "../process/small-pools.js";
import { systemClock } from "../workflow/clock.js";
import { engineThreadsOf } from "./engine-threads-flag.js";
import { jobExitStatus } from "./job-launcher.js";
import { parentChannel } from "./node-ipc-channel.js";
import { runServerJob } from "./run-server-job.js";

/**
 * The program of a server's job process: it runs the job's workflow, holds no key and no network connection, starts no
 * programs, and ends with its parent. What it aggregates with, and what goes wrong, are lines of JSON on its error output, which its launcher
 * keeps as `log.txt` in the job's workspace.
 */
useSmallPools();
const channel = parentChannel();
// Without a parent nothing that is under way can have an effect any more, so nothing is waited for.
channel.onClose(() => process.exit(jobExitStatus.aborted));

const { engine, device, reasons } = await createEngine(
  { nowMs: () => performance.now() },
  { engine: "cpu", threads: engineThreadsOf(process.argv) },
);
process.stderr.write(`${JSON.stringify({ level: "info", message: "engine chosen", engine: engine.name, device, reasons })}\n`);
const { exitStatus, error } = await runServerJob({ channel, engine, randomBytes, clock: systemClock });
if (error !== undefined) process.stderr.write(`${JSON.stringify({ level: "error", message: "workflow failed", error })}\n`);
process.exit(exitStatus);
