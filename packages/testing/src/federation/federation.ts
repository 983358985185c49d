import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Json } from "@flare-ts/contracts";
import { FlareError } from "@flare-ts/contracts";
import { provision } from "@flare-ts/provision";
import { freePort, readInstance, startDaemon, stopDaemon } from "@flare-ts/runtime";
import { type AdminSession, connectAdmin } from "@flare-ts/runtime/admin";

export interface CreateFederationInit {
  /** Names of the sites. */
  readonly sites: readonly string[];
  /** Relays that listen with mutual TLS, by name, each with what is above it. What sites are behind, `settings.perSite` says. @default none */
  readonly relays?: Readonly<Record<string, string>>;
  /** Further admins, by name. The first is a project_admin of the server's organisation. @default none */
  readonly admins?: Readonly<Record<string, { readonly org: string; readonly role: string }>>;
  /** @default "testfed" */
  readonly project?: string;
  /** Port of the server. @default a free one */
  readonly port?: number;
  /**
   * Further settings of the project file: of the whole, of the server, of everybody else, and of single sites. Keys are on a curve,
   * where nothing else is said: they are made a hundred times as fast as those of RSA.
   */
  readonly settings?: {
    readonly project?: Readonly<Record<string, Json>>;
    readonly server?: Readonly<Record<string, Json>>;
    readonly others?: Readonly<Record<string, Json>>;
    readonly perSite?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  };
  /** Life of the certificates that the server gives out by renewal, in milliseconds; a project file knows none under 5 minutes. */
  readonly leafLifetimeMs?: number;
  /** When the kits were made. @default the present */
  readonly madeAt?: Date;
  /** The program that runs participants. @default one that knows `<server|client|relay> start <kit>` only */
  readonly program?: string;
  /** Further arguments of the start of a participant, by its name; the server's is `server`. */
  readonly startArguments?: Readonly<Record<string, readonly string[]>>;
}

/** A provisioned federation on this machine: real kits, real processes, real mTLS. */
export interface Federation {
  readonly folder: string;
  readonly port: number;
  readonly adminKit: string;
  /** Kit folder of the server, a relay or a site. */
  kitOf(name: string): string;
  /** Starts a participant under its kit's watchdog, and waits until it is ready. */
  start(name: string): Promise<void>;
  /** Starts the server, then the relays in their order, then all sites. */
  startAll(): Promise<void>;
  stop(name: string): Promise<void>;
  /** Process number of a participant's parent process. */
  pidOf(name: string): number | undefined;
  /** A session of an admin, by name. @param name - one of the further ones @default the first */
  admin(name?: string): Promise<AdminSession>;
  /** Stops everything and removes the folder. */
  dispose(): Promise<void>;
}

const serverName = "localhost";
export const adminName = "admin@example.org";
const ownProgram = fileURLToPath(new URL("../../dist/programs/federation/participant-program.js", import.meta.url));

/** Provisions a federation into a temporary folder; nothing runs yet. */
export async function createFederation(init: CreateFederationInit): Promise<Federation> {
  const {
    sites,
    relays = {},
    admins = {},
    project = "testfed",
    port: wantedPort,
    settings = {},
    leafLifetimeMs,
    madeAt = new Date(),
  } = init;
  const { program = ownProgram, startArguments = {} } = init;
  const folder = await mkdtemp(join(tmpdir(), "flare-federation-"));
  const port = wantedPort ?? (await freePort());
  const projectFile = join(folder, "project.yml");
  await writeFile(projectFile, projectText(project, port, { sites, admins, relays: await relayParticipants(relays) }, settings));
  const { prodDir } = await provision({ projectFile, workspace: join(folder, "workspace"), caKey: "clear", now: madeAt });
  const kitOf = (name: string): string => join(prodDir, name === "server" ? serverName : name);
  const start = async (name: string): Promise<void> => {
    const environment: Record<string, string> = leafLifetimeMs === undefined ? {} : { FLARE_TEST_LEAF_LIFETIME_MS: String(leafLifetimeMs) };
    await startDaemon({
      kitDir: kitOf(name),
      command: { node: process.execPath, cli: program },
      environment,
      args: startArguments[name] ?? [],
    }).catch((reason: unknown) => {
      throw withLogLines(reason);
    });
  };
  const stop = async (name: string): Promise<void> => {
    await stopDaemon(kitOf(name), { timeoutMs: 20_000 });
  };
  const adminKit = join(prodDir, adminName);
  return {
    folder,
    port,
    adminKit,
    kitOf,
    start,
    stop,
    startAll: async () => {
      await start("server");
      for (const relay of Object.keys(relays)) await start(relay);
      await Promise.all(sites.map(start));
    },
    pidOf: (name) => readInstance(kitOf(name))?.pid,
    admin: (name = adminName) => connectAdmin({ kitDir: join(prodDir, name) }),
    dispose: async () => {
      await Promise.all([...sites, ...Object.keys(relays)].map(stop));
      await stop("server");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function projectText(
  project: string,
  port: number,
  { sites, admins, relays }: Required<Pick<CreateFederationInit, "sites" | "admins">> & { readonly relays: readonly object[] },
  { project: { certificates, ...whole } = {}, server, others, perSite = {} }: NonNullable<CreateFederationInit["settings"]>,
): string {
  return JSON.stringify({
    api_version: 3,
    name: project,
    description: "a federation of a test",
    ...whole,
    certificates: { key_type: "p256", ...(certificates as object | undefined) },
    participants: [
      { name: serverName, type: "server", org: "center", fed_learn_port: port, ...server },
      ...relays,
      ...sites.map((name) => ({ name, type: "client", org: "hospital", ...others, ...perSite[name] })),
      { name: adminName, type: "admin", org: "center", role: "project_admin", ...others },
      ...Object.entries(admins).map(([name, { org, role }]) => ({ name, type: "admin", org, role, ...others })),
    ],
  });
}

async function relayParticipants(relays: Readonly<Record<string, string>>): Promise<readonly object[]> {
  return await Promise.all(
    Object.entries(relays).map(async ([name, above]) => ({
      name,
      type: "relay",
      org: "region",
      listening_host: { default_host: "localhost", port: await freePort(), connection_security: "mtls" },
      ...(above === "server" ? {} : { connect_to: { name: above } }),
    })),
  );
}

/** What a test shows of an error is its message: with the last lines of the log, which is gone when the test has failed. */
function withLogLines(reason: unknown): unknown {
  if (!(reason instanceof FlareError) || reason.problems.length === 0) return reason;
  const lines = reason.problems.map(({ message }) => message);
  return new FlareError(reason.code, [reason.message, ...lines].join("\n"), {
    facts: reason.facts,
    problems: reason.problems,
    cause: reason,
  });
}
