import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { FlareCommand } from "./flare-command.ts";

/** A federation whose kits are on this machine's disk. */
export interface Federation {
  readonly serverKit: string;
  readonly hospitalKits: readonly string[];
  readonly adminKit: string;
}

export interface ProvisionInit {
  readonly flare: FlareCommand;
  /** The example's project file. */
  readonly projectFile: string;
  /** Folder in which everything is made. */
  readonly folder: string;
  /** Folder with one folder per hospital, which holds its patients' measurements. */
  readonly data: string;
}

/** Makes the kits, on a free port, and tells each hospital where its own measurements lie. */
export async function provisionFederation({ flare, projectFile, folder, data }: ProvisionInit): Promise<Federation> {
  const port = await freePort(8002);
  const text = await readFile(projectFile, "utf8");
  const project = join(folder, "project.yml");
  await writeFile(project, text.replaceAll(/(fed_learn_port|admin_port): \d+/g, `$1: ${port}`));
  const { kits } = (await flare.data("provision", "-p", project, "-w", folder, "--clear-ca-key")) as {
    kits: readonly { readonly name: string; readonly type: string; readonly dir: string }[];
  };
  const of = (type: string): readonly string[] => kits.filter((kit) => kit.type === type).map((kit) => kit.dir);
  const [serverKit = ""] = of("server");
  const [adminKit = ""] = of("admin");
  for (const kit of kits.filter((one) => one.type === "client")) {
    const resources = JSON.parse(await readFile(join(kit.dir, "local", "resources.json.default"), "utf8")) as object;
    const datasets = { wdbc: join(data, kit.name, "wdbc.csv") };
    await writeFile(join(kit.dir, "local", "resources.json"), `${JSON.stringify({ ...resources, datasets }, undefined, 2)}\n`);
  }
  return { serverKit, hospitalKits: of("client"), adminKit };
}

/** Starts every process in the background and resolves when all hospitals are attached to the server. */
export async function startFederation(flare: FlareCommand, { serverKit, hospitalKits }: Federation): Promise<void> {
  const starts = await Promise.allSettled([
    flare.data("server", "start", serverKit, "--daemon"),
    ...hospitalKits.map((kit) => flare.data("client", "start", kit, "--daemon")),
  ]);
  // All have come to an end, so that nothing starts any more when everything is stopped because one failed.
  for (const start of starts) if (start.status === "rejected") throw start.reason;
}

/** Stops every process that runs from a kit below a folder, hospitals first, and says how many there were. */
export async function stopFederation(flare: FlareCommand, folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch((): string[] => []);
  const kits = names.filter((name) => /(^|\/)prod_\d+\/[^/]+\/startup$/.test(name)).map((name) => join(folder, name, ".."));
  const stopAll = async (kind: "client" | "server"): Promise<number> => {
    const ofKind = kits.filter((kit) => existsSync(join(kit, "startup", `fed_${kind}.json`)));
    const told = (await Promise.all(ofKind.map((kit) => flare.data(kind, "stop", kit)))) as readonly { outcome: string }[];
    return told.filter(({ outcome }) => outcome === "stopped").length;
  };
  const hospitals = await stopAll("client");
  return hospitals + (await stopAll("server"));
}

/** Removes what an earlier run left, after stopping what still runs in it. */
export async function removeFederation(flare: FlareCommand, folder: string): Promise<void> {
  await stopFederation(flare, folder);
  // The dashboard of a run that was killed.
  const dashboard = join(folder, "dashboard");
  if (existsSync(join(dashboard, "pid.fl"))) await flare.data("server", "stop", dashboard);
  await rm(folder, { recursive: true, force: true });
}

/** The wanted port when nobody listens on it, else one that the system gives. */
export async function freePort(wanted: number): Promise<number> {
  const probe = (port: number): Promise<number | undefined> =>
    new Promise((settle) => {
      const server = createServer();
      server.once("error", () => settle(undefined));
      server.listen(port, () => {
        const address = server.address();
        server.close(() => settle(typeof address === "object" ? address?.port : undefined));
      });
    });
  const port = (await probe(wanted)) ?? (await probe(0));
  if (port === undefined) throw new Error("no port of this machine can be opened");
  return port;
}
