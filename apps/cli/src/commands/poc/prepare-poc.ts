import { readFile, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { writeDurably } from "@flare-ts/provision/kit";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { emptyBesideLock, namesBesideLock, withFolderLock } from "../../local-federation/folder-lock.js";
import { localProjectText } from "../../local-federation/local-project.js";
import { runningServices } from "../../local-federation/running-services.js";
import { tableLines } from "../../terminal/table.js";
import { pocDefaults } from "./poc-defaults.js";
import { type PocFederation, type PocFile, pocFileName, readPocFederation } from "./poc-federation.js";
import { pocFolder } from "./poc-folder.js";

/** Stands in the workspace while it is prepared: what a command that was killed has left is ours, and of no use. */
const unfinishedName = "poc.unfinished";

/** What `flare poc prepare` is given. */
export interface PreparePocOptions {
  readonly numberOfClients: number;
  readonly clients: readonly string[] | undefined;
  readonly projectFile: string | undefined;
  readonly port: number | undefined;
  readonly isForced: boolean;
}

/** Makes the certificates and kits of a federation on this machine. */
export async function preparePoc(context: CommandContext, options: PreparePocOptions): Promise<CommandOutput> {
  const folder = pocFolder(context.env);
  // A project file that cannot be read, or is wrong, must not cost the federation that is there.
  const input =
    options.projectFile === undefined ? undefined : await readProject(resolve(context.cwd, options.projectFile), options.projectFile);
  const text = input ?? (await generatedProject(options));
  await refuseMistakes(text, options.projectFile === undefined ? join(folder, "project.yml") : resolve(context.cwd, options.projectFile));
  const federation = await withFolderLock(folder, async () => {
    await makeRoom(folder, options.isForced);
    return await fillFolder(context, folder, text, options.projectFile);
  });
  return {
    data: {
      folder,
      project: federation.project,
      port: federation.port,
      services: federation.services.map(({ name, kind, kit }) => ({ name, kind, kit })),
      admin: { name: federation.adminName, kit: federation.adminKit },
    },
    text: [
      ...tableLines(
        [{ title: "SERVICE" }, { title: "KIND" }, { title: "STARTUP KIT" }],
        [
          ...federation.services.map((service) => [service.name, service.kind, service.kit]),
          [federation.adminName, "admin", federation.adminKit],
        ],
      ),
      `Prepared in ${folder}, port ${federation.port}.`,
    ],
    hints: ["Next: flare poc start"],
  };
}

async function readProject(path: string, shown: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new FlareError("file/not-found", `There is no project file ${shown}.`, { facts: { file: shown }, cause });
  }
}

async function refuseMistakes(text: string, file: string): Promise<void> {
  const { parseProject } = await import("@flare-ts/provision");
  const { participants } = parseProject(text, file);
  if (participants.some(({ type }) => type === "admin")) return;
  throw new FlareError("cli/invalid-arguments", `${file} has no admin, so nobody could submit a job.`);
}

async function makeRoom(folder: string, isForced: boolean): Promise<void> {
  const federation = await readPocFederation(folder);
  if (federation === undefined) {
    const names = await namesBesideLock(folder);
    if (names.includes(unfinishedName)) await emptyBesideLock(folder, unfinishedName);
    else if (names.length > 0)
      throw new FlareError("poc/foreign-folder", `${folder} holds files that are not a POC federation.`, { facts: { folder } });
    return;
  }
  if (!isForced) throw new FlareError("poc/exists", `${folder} already holds project ${federation.project}.`, { facts: { folder } });
  const running = await runningServices(federation.services);
  if (running.length > 0) {
    throw new FlareError("poc/running", `Still running: ${running.join(", ")}. A federation is replaced only when it is stopped.`, {
      facts: { running },
    });
  }
  await writeFile(join(folder, unfinishedName), "");
  await emptyBesideLock(folder, unfinishedName);
}

async function fillFolder(
  context: CommandContext,
  folder: string,
  projectText: string,
  shownFile: string | undefined,
): Promise<PocFederation> {
  try {
    await writeFile(join(folder, unfinishedName), "");
    const projectFile = join(folder, "project.yml");
    await writeFile(projectFile, projectText);
    const { provision } = await import("@flare-ts/provision");
    const { prodDir, kits } = await provision({
      projectFile: shownFile === undefined ? projectFile : resolve(context.cwd, shownFile),
      workspace: folder,
      // A federation to try things on, on one machine, for its owner's eyes.
      caKey: "clear",
      signal: context.signal,
    });
    const named = (type: string): string[] => kits.filter((kit) => kit.type === type).map((kit) => kit.name);
    const [server = ""] = named("server");
    const [admin = ""] = named("admin");
    const file: PocFile = {
      schema_version: "1",
      project: relative(folder, prodDir).split(/[\\/]/)[0] ?? "",
      port: await portInKit(join(prodDir, admin)),
      kits: relative(folder, prodDir),
      server,
      ...(named("relay").length === 0 ? {} : { relays: named("relay") }),
      clients: named("client"),
      admin,
    };
    // Last, so that a folder with this file in it is complete.
    await writeDurably(join(folder, pocFileName), `${JSON.stringify(file, undefined, 2)}\n`);
    await rm(join(folder, unfinishedName));
    const federation = await readPocFederation(folder);
    if (federation === undefined) throw new FlareError("poc/not-prepared", `${folder} was removed while it was prepared.`);
    return federation;
  } catch (error) {
    await emptyBesideLock(folder, unfinishedName);
    throw error;
  }
}

async function portInKit(adminKit: string): Promise<number> {
  const text = await readFile(join(adminKit, "startup", "fed_admin.json"), "utf8");
  return (JSON.parse(text) as { admin: { port: number } }).admin.port;
}

async function generatedProject(options: PreparePocOptions): Promise<string> {
  const clients = options.clients ?? Array.from({ length: options.numberOfClients }, (_, i) => `site-${i + 1}`);
  const { freePort } = await import("@flare-ts/runtime");
  const { project, server, admin, org } = pocDefaults;
  return localProjectText({
    project,
    description: "A federation on one machine, made by flare poc prepare",
    server,
    admin,
    org,
    clients: clients.map((name) => ({ name })),
    port: options.port ?? (await freePort(pocDefaults.port)),
  });
}
