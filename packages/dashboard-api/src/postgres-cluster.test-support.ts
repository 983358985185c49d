import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

declare module "vitest" {
  interface ProvidedContext {
    /** Address of a PostgreSQL cluster without a database name; `null` where PostgreSQL is not installed. */
    readonly postgresUrl: string | null;
  }
}

/** What Vitest gives a global set-up, as far as it is needed here. */
interface SetupContext {
  readonly provide: (key: "postgresUrl", value: string | null) => void;
}

/** Starts a PostgreSQL cluster of Debian's package for all tests of the package, in a temporary folder and without a port. */
export default async function startPostgresCluster({ provide }: SetupContext): Promise<(() => Promise<void>) | undefined> {
  const programs = postgresPrograms();
  if (programs === undefined) {
    if (process.env["FLARE_NO_SKIPS"] === "1") throw new Error("PostgreSQL is missing; install the Debian package postgresql");
    process.stderr.write("skipped: PostgreSQL is missing; install the Debian package postgresql\n");
    provide("postgresUrl", null);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "flare-pg-"));
  const owner = postgresOwner();
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, "data");
  execFileSync(join(programs, "initdb"), ["-D", data, "-U", "flare", "-A", "trust", "-E", "UTF8", "--no-sync"], {
    ...owner,
    cwd: folder,
    stdio: "ignore",
  });
  const settings = ["listen_addresses=", `unix_socket_directories=${folder}`, "fsync=off", "max_connections=200", "shared_buffers=32MB"];
  const server = spawn(join(programs, "postgres"), ["-D", data, ...settings.flatMap((setting) => ["-c", setting])], {
    ...owner,
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = "";
    server.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("ready to accept connections")) resolve();
    });
    server.once("exit", () => reject(new Error(`PostgreSQL did not start: ${said}`)));
  });
  provide("postgresUrl", `postgres://flare@/?host=${encodeURIComponent(folder)}`);
  return async () => {
    server.kill("SIGINT");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Debian keeps each version's programs apart; the newest is taken. */
function postgresPrograms(): string | undefined {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return undefined;
  const version = readdirSync(root).toSorted((a, b) => Number(b) - Number(a))[0];
  const folder = version === undefined ? undefined : join(root, version, "bin");
  return folder !== undefined && existsSync(join(folder, "initdb")) ? folder : undefined;
}

/** PostgreSQL refuses to run as root. */
function postgresOwner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
