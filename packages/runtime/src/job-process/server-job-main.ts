import { ExactJsEngine } from "@flare-ts/aggregator";
import { systemClock } from "../workflow/clock.js";
import { jobExitStatus } from "./job-launcher.js";
import { parentChannel } from "./node-ipc-channel.js";
import { runServerJob } from "./run-server-job.js";

/**
 * The program of a server's job process: it runs the job's workflow, holds no key and no network connection, starts no
 * programs, and ends with its parent. What goes wrong is written as one line of JSON to its error output, which its launcher
 * keeps as `log.txt` in the job's workspace.
 */
const channel = parentChannel();
// Without a parent nothing that is under way can have an effect any more, so nothing is waited for.
channel.onClose(() => process.exit(jobExitStatus.aborted));

const engine = new ExactJsEngine({ nowMs: () => performance.now() });
const { exitStatus, error } = await runServerJob({ channel, engine, clock: systemClock });
if (error !== undefined) process.stderr.write(`${JSON.stringify({ level: "error", message: "workflow failed", error })}\n`);
process.exit(exitStatus);
