import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createServer, Socket } from "node:net";
import { dirname, join } from "node:path";
import { FlareError } from "@flare-ts/contracts/errors";
import { type Bootstrap, bootstrapVariable } from "../client/protocol.js";
import { identifyProcess, isAlive } from "../process/process-identity.js";
import { type AttachProfile, profilePath, readProfile, removeProfile, socketPath } from "./attach-folder.js";

/**
 * Stands in for a trainer that is started by hand, between it and the job process: `attach-main <folder> <attach id>`. The
 * first trainer that says something is passed through to file descriptor 3; another is told that it cannot attach. It ends
 * when either side does, and takes socket and profile away. Only this user may enter the folder.
 */
const [folder = "", attachId = ""] = process.argv.slice(2);
const bootstrap = JSON.parse(await readFile(process.env[bootstrapVariable] ?? "", "utf8")) as Bootstrap;

await mkdir(folder, { recursive: true, mode: 0o700 });
const other = await readProfile(profilePath(folder, attachId));
if (other !== undefined && isAlive(other)) {
  process.stderr.write(`flare: job ${other.job_id} waits for trainers as '${attachId}' already; give this job another attach_id\n`);
  process.exit(1);
}
if (other !== undefined) await removeProfile(folder, other);

const path = socketPath(folder, attachId);
const profile: AttachProfile = {
  ...bootstrap,
  schema_version: 1,
  execution_mode: "attach",
  attach_id: attachId,
  rendezvous_dir: folder,
  channel: `unix:${path}`,
  ...(identifyProcess(process.pid) ?? { pid: process.pid, started: "" }),
};

const upstream = new Socket({ fd: 3, readable: true, writable: true });
let trainer: Socket | undefined;

const server = createServer((connection) => {
  connection.on("error", () => {});
  // Who only looks whether somebody listens does not take the place of a trainer.
  connection.once("data", (first: Buffer) => {
    if (trainer !== undefined) {
      refuse(connection);
      return;
    }
    trainer = connection;
    process.stderr.write(`flare: a trainer has attached as '${attachId}'\n`);
    upstream.write(first);
    connection.pipe(upstream);
    upstream.pipe(connection);
    // What it said last goes out first.
    connection.once("close", () => upstream.end(() => void leave("the trainer has left")));
  });
});
upstream.once("close", () => void leave("the job process is done with it"));
upstream.on("error", () => {});
process.once("SIGTERM", () => void leave("ended by the site"));
process.once("SIGINT", () => void leave("ended by the site"));
// Without a listener this signal, which asks trainers for their stacks, would open Node's debugger.
process.on("SIGUSR1", () => {});

server.listen(path, () => void show());

/** A profile is seen only when the socket can be reached. */
async function show(): Promise<void> {
  await chmod(path, 0o600);
  const part = join(dirname(profilePath(folder, attachId)), `.${attachId}.part`);
  await writeFile(part, `${JSON.stringify(profile, null, 2)}\n`, { mode: 0o600 });
  await rename(part, profilePath(folder, attachId));
}

function refuse(connection: Socket): void {
  const error = new FlareError("client-api/attach-refused", `Another trainer serves job ${bootstrap.job_id} as '${attachId}'.`, {
    facts: { attachId, job: bootstrap.job_id },
  });
  connection.end(`${JSON.stringify({ type: "error", error: error.toJSON() })}\n`);
}

let isLeaving = false;
async function leave(why: string): Promise<void> {
  if (isLeaving) return;
  isLeaving = true;
  process.stderr.write(`flare: ${why}\n`);
  trainer?.destroy();
  await removeProfile(folder, profile);
  process.exit(0);
}
