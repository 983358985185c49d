import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClientResourcesDocument, JobMeta, LogConfig } from "@flare-ts/contracts";
import type { CommandContext } from "../../command-line/command-context.js";
import { localProjectText } from "../../local-federation/local-project.js";
import type { SimulatedSite } from "./plan-simulation.js";
import { simulatorDefaults } from "./simulator-defaults.js";
import { removeRun, type SimulationRecord, scratchName, writeRecord } from "./simulator-workspace.js";

/** What the kits of a simulation are made for. */
export interface ThrowAwayInit {
  readonly workspace: string;
  readonly record: SimulationRecord;
  readonly sites: readonly SimulatedSite[];
  /** @default what kits have */
  readonly logLevel: LogConfig["level"] | undefined;
  /** What the job's meta.json says. */
  readonly meta: Pick<JobMeta, "scope" | "study">;
  /** Data set's name to its path, by site. */
  readonly datasets: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/**
 * Makes certificates and kits of a federation that lives for one run, each kit in a folder of the workspace. The key that signed them is
 * thrown away.
 */
export async function makeThrowAwayFederation(context: Pick<CommandContext, "signal">, init: ThrowAwayInit): Promise<void> {
  const { workspace, record, sites } = init;
  const { project, org, server, admin } = simulatorDefaults;
  const { freePort } = await import("@flare-ts/runtime");
  const { provision } = await import("@flare-ts/provision");
  await writeRecord(workspace, record);
  const scratch = join(workspace, scratchName);
  try {
    await mkdir(scratch, { mode: 0o700 });
    const projectFile = join(scratch, "project.yml");
    const text = localProjectText({
      project,
      description: "A federation for one run, made by flare simulator",
      server,
      admin,
      org,
      clients: sites.map(({ name, ...capacity }) => ({ name, capacity })),
      study: init.meta.study,
      allowsLogStreaming: true,
      port: await freePort(),
    });
    await writeFile(projectFile, text);
    const { kits } = await provision({ projectFile, workspace: scratch, caKey: "clear", signal: context.signal });
    for (const { name, type, dir } of kits) {
      if (type !== "admin") await adaptKit(dir, { ...init, name, isServer: type === "server" });
      await rename(dir, join(workspace, name));
    }
    await rm(scratch, { recursive: true });
  } catch (error) {
    await removeRun(workspace, record);
    throw error;
  }
}

/** Writes what an operator would write into `local/`. */
async function adaptKit(kit: string, init: ThrowAwayInit & { readonly name: string; readonly isServer: boolean }): Promise<void> {
  const { logLevel, sites, datasets, meta } = init;
  const write = async (name: string, value: unknown): Promise<void> =>
    await writeFile(join(kit, "local", name), `${JSON.stringify(value, undefined, 2)}\n`);
  if (logLevel !== undefined) await write("log_config.json", { level: logLevel } satisfies LogConfig);
  const resources = JSON.parse(await readFile(join(kit, "local", "resources.json.default"), "utf8")) as object;
  if (init.isServer) {
    await write("resources.json", { ...resources, servers: [{ max_num_clients: Math.max(sites.length, simulatorDefaults.maxClients) }] });
    return;
  }
  const site = sites.find(({ name }) => name === init.name);
  await write("resources.json", { ...resources, ...offerOf(site), datasets: datasets.get(init.name) ?? {} });
  if (meta.scope !== undefined) await write("privacy.json", { scopes: [{ name: meta.scope }] });
}

/** What a site offers jobs, if it is more than the machine and the kit offer by themselves. */
function offerOf(site: SimulatedSite | undefined): Pick<ClientResourcesDocument, "components"> | undefined {
  if (site === undefined || (site.cpus === 0 && site.memoryBytes === 0)) return undefined;
  const { gpus, memPerGpuGiB, cpus, memoryBytes } = site;
  const offered = { ...(cpus === 0 ? {} : { num_of_cpus: cpus }), ...(memoryBytes === 0 ? {} : { memory: memoryBytes }) };
  return { components: [{ id: "resource_manager", args: { num_of_gpus: gpus, mem_per_gpu_in_GiB: memPerGpuGiB, ...offered } }] };
}
