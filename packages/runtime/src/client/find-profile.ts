import { readdir, readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FlareError } from "@flare-ts/contracts/errors";

/** Environment variables by which a trainer that is started by hand finds its job: the site's folder, and the job's attach id. */
const attachVariables = { folder: "FLARE_ATTACH_FOLDER", id: "FLARE_ATTACH_ID" } as const;

const lookMs = 200;

/**
 * Waits for a job that wants a trainer to attach, and gives the path of its profile; `undefined` when the environment names no
 * folder.
 *
 * @throws FlareError `client-api/attach-refused` when several jobs wait and none is named, or the folder is another user's
 */
export async function findProfile(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folder = env[attachVariables.folder];
  if (folder === undefined || folder === "") return undefined;
  const id = env[attachVariables.id] ?? "";
  for (;;) {
    await requireOwn(folder);
    const names = id === "" ? await readdir(folder).catch(() => []) : [`${id}.json`];
    const found: string[] = [];
    for (const name of names) if (name.endsWith(".json") && (await listens(join(folder, name)))) found.push(name);
    const [only, ...others] = found;
    if (only !== undefined && others.length === 0) return join(folder, only);
    if (only !== undefined)
      throw refused(`Several jobs in ${folder} wait for a trainer: ${found.join(", ")}. Say which one by its id.`, folder);
    await sleep(lookMs);
  }
}

async function requireOwn(folder: string): Promise<void> {
  // The site makes it when the first job waits.
  const owner = await stat(folder).catch(() => undefined);
  if (owner === undefined || owner.uid === process.getuid?.()) return;
  throw refused(`${folder} belongs to another user; start the trainer as the user of the site.`, folder);
}

/** Who connects and says nothing takes nobody's place. */
async function listens(path: string): Promise<boolean> {
  try {
    const { channel } = JSON.parse(await readFile(path, "utf8")) as { readonly channel?: unknown };
    const probe = connect(String(channel).replace(/^unix:/, ""));
    const isThere = await new Promise<boolean>((resolve) => {
      probe.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    probe.destroy();
    return isThere;
  } catch {
    return false;
  }
}

function refused(message: string, folder: string): FlareError {
  return new FlareError("client-api/attach-refused", message, { facts: { folder } });
}
