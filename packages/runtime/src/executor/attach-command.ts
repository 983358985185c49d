import { dirname } from "node:path";
import type { TrainerLaunch } from "@flare-ts/contracts";
import { bootstrapVariable } from "../client/protocol.js";
import { programPath } from "../installed.js";
import type { SiteJobDescription } from "../job-process/job-channel.js";
import { inheritedEnvironment, type TrainerCommand } from "./trainer-command.js";

type AttachLaunch = Extract<TrainerLaunch, { kind: "attach" }>;

/** The name by which a trainer finds a job. */
export function attachIdOf({ attachId }: AttachLaunch, { jobId }: Pick<SiteJobDescription, "jobId">): string {
  return attachId ?? jobId;
}

/**
 * The program that stands in for a trainer which somebody starts by hand: it opens a socket in the site's folder for such
 * trainers, and passes on what the one that comes has to say. It is one of ours, and may open sockets, which the job process
 * may not.
 */
export function attachCommand(init: {
  readonly launch: AttachLaunch;
  readonly job: SiteJobDescription;
  readonly bootstrapPath: string;
}): TrainerCommand {
  const { launch, job, bootstrapPath } = init;
  const program = programPath("executor/attach-main");
  const net = process.allowedNodeEnvironmentFlags.has("--allow-net") ? ["--allow-net"] : [];
  // Flags of its own; without them it would get those of the job process from Node.
  const flags = ["--permission", "--allow-fs-read=*", "--allow-fs-write=*", ...net, "--disable-warning=SecurityWarning"];
  return {
    file: process.execPath,
    args: [...flags, program, job.attachFolder, attachIdOf(launch, job)],
    env: { ...inheritedEnvironment(), [bootstrapVariable]: bootstrapPath },
    cwd: dirname(bootstrapPath),
  };
}
