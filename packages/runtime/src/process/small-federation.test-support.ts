import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSafetensors } from "@flare-ts/aggregator";
import type { ConnectionSecurity, TrustListDocument } from "@flare-ts/contracts";
import { provision } from "@flare-ts/provision";
import { type Kit, readKit, signTrustList, TrustKeeper } from "@flare-ts/provision/kit";
import { readProjectKeys } from "../session/project-keys.js";
import type { Connection } from "../transport/connection.js";
import { dialServer } from "../transport/dial-server.js";
import { endpointOf } from "../transport/endpoint-of.js";
import { freePort } from "./free-port.js";

/** Kits of a server, two sites and two admins, in a temporary folder; nothing runs. */
export interface SmallFederation {
  readonly folder: string;
  kitDir(name: string): string;
  kit(name: string): Promise<Kit>;
  /** A registered connection to the server under the name of a participant, in place of its own program. */
  dial(name: string): Promise<Connection>;
  /** Where the server listens. */
  readonly serverPort: number;
  /** Writes a job that gives one app to some sites, and gives its folder. */
  writeJob(sites: readonly string[], init?: WriteJobInit): Promise<string>;
  /** Signs a trust list with the project's root key; it revokes nobody unless it is told to. */
  trustList(change: Partial<TrustListDocument> & Pick<TrustListDocument, "number">): Promise<string>;
  dispose(): Promise<void>;
}

export const adminName = "admin@example.org";
export const otherAdminName = "other@example.org";

export interface WriteJobInit {
  /** @default 1 */
  readonly minClients?: number;
  /** Script of the trainers. @default they only wait */
  readonly script?: string;
  /** Further keys of meta.json, or others in their stead. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

export interface SmallFederationInit {
  /** @default "localhost" */
  readonly serverName?: string;
  /** @default "mtls" */
  readonly connectionSecurity?: ConnectionSecurity;
  /** A proxy between participants and server: where it listens, and the root of its certificate. */
  readonly proxy?: { readonly port: number; readonly rootCaPem: string };
  /** Relays that listen with mutual TLS, each with what it is behind, where that is not the server; and what sites are behind. */
  readonly relays?: { readonly names: readonly string[]; readonly behind: Readonly<Record<string, string>> };
  /** @default a free one */
  readonly serverPort?: number;
  /** How the server listens. @default as the others dial */
  readonly serverSecurity?: ConnectionSecurity;
  /** @default "p256", whose keys are made a hundred times as fast as those of RSA */
  readonly keyType?: "rsa-2048" | "p256";
  /** Further settings under `certificates`. */
  readonly certificates?: Readonly<Record<string, string | readonly string[]>>;
  /** Role of the second admin. @default "project_admin" */
  readonly otherRole?: string;
  /** As in a project file. @default none */
  readonly studies?: Readonly<Record<string, { readonly site_orgs: object; readonly admins: readonly string[] }>>;
  /** When the kits were made. @default the present */
  readonly madeAt?: Date;
}

export async function createSmallFederation(init: SmallFederationInit = {}): Promise<SmallFederation> {
  const { serverName = "localhost", connectionSecurity = "mtls", serverSecurity = connectionSecurity, proxy, keyType = "p256" } = init;
  const serverPort = init.serverPort ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), "flare-small-"));
  const projectFile = join(folder, "project.yml");
  const connectTo = proxy === undefined ? {} : { connect_to: { host: "localhost", port: proxy.port } };
  const { names: relayNames = [], behind = {} } = init.relays ?? {};
  const below = (name: string): object => (behind[name] === undefined ? connectTo : { connect_to: { name: behind[name] } });
  const relays = await Promise.all(
    relayNames.map(async (name) => {
      const listening = { default_host: "localhost", port: await freePort(), connection_security: "mtls" };
      return { name, type: "relay", org: "o", listening_host: listening, ...below(name) };
    }),
  );
  const participants = [
    { name: serverName, type: "server", org: "o", fed_learn_port: serverPort, connection_security: serverSecurity },
    ...relays,
    { name: "site-1", type: "client", org: "o", ...below("site-1") },
    { name: "site-2", type: "client", org: "o", ...below("site-2") },
    { name: adminName, type: "admin", org: "o", role: "project_admin", ...connectTo },
    { name: otherAdminName, type: "admin", org: "o", role: init.otherRole ?? "project_admin", ...connectTo },
  ];
  if (proxy !== undefined) await writeFile(join(folder, "proxy-root.pem"), proxy.rootCaPem);
  const project = {
    ...(init.studies === undefined ? { api_version: 3 } : { api_version: 4, studies: init.studies }),
    name: "small",
    description: "",
    connection_security: connectionSecurity,
    certificates: { key_type: keyType, ...init.certificates },
    ...(proxy === undefined ? {} : { custom_ca_cert: "proxy-root.pem" }),
    participants,
  };
  await writeFile(projectFile, JSON.stringify(project));
  const { prodDir } = await provision({
    projectFile,
    workspace: join(folder, "workspace"),
    caKey: "clear",
    now: init.madeAt ?? new Date(),
  });
  const kitDir = (name: string): string => join(prodDir, name);
  const connections: Connection[] = [];
  return {
    folder,
    kitDir,
    kit: (name) => readKit(kitDir(name)),
    dial: async (name) => {
      const kit = await readKit(kitDir(name));
      const connection = await dialServer({ ...endpointOf(kit), keys: readProjectKeys(kit, (await TrustKeeper.open(kit)).trust) });
      connections.push(connection);
      return connection;
    },
    serverPort,
    writeJob: (sites, jobInit = {}) => writeJob(folder, sites, jobInit),
    trustList: async (change) => {
      const state = JSON.parse(await readFile(join(folder, "workspace/small/state/cert.json"), "utf8")) as RootState;
      const signer = { certificate: new X509Certificate(state.root_cert), privateKey: createPrivateKey(state.root_pri_key) };
      return signTrustList({ project: "small", issued_at_ms: Date.now(), roots: [state.root_cert], revoked: [], ...change }, [signer]);
    },
    dispose: async () => {
      for (const connection of connections) connection.close();
      // An admin whose session is closed may still be writing the certificate that it was given last.
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface RootState {
  readonly root_cert: string;
  readonly root_pri_key: string;
}

async function writeJob(folder: string, sites: readonly string[], init: WriteJobInit): Promise<string> {
  const { minClients = 1, script = "setInterval(() => {}, 1000);", meta } = init;
  const job = await mkdtemp(join(folder, "job-"));
  const workflow = { id: "w", path: "FedAvg", args: { num_rounds: 1, initial_model: "model.safetensors", min_clients: 1 } };
  const executor = { path: "ClientAPIExecutor", args: { task_script_path: "train.ts" } };
  const model = encodeSafetensors([["w", { dtype: "F32", shape: [1], data: Float32Array.of(1) }]]);
  for (const app of ["app", "other"]) {
    await mkdir(join(job, app, "config"), { recursive: true });
    await mkdir(join(job, app, "custom"));
    const config = join(job, app, "config");
    await writeFile(join(config, "config_fed_server.json"), JSON.stringify({ format_version: 2, workflows: [workflow] }));
    await writeFile(
      join(config, "config_fed_client.json"),
      JSON.stringify({ format_version: 2, executors: [{ tasks: ["train"], executor }] }),
    );
    await writeFile(join(job, app, "custom", "train.ts"), script);
    await writeFile(join(job, app, "model.safetensors"), model);
  }
  const deployMap = { app: ["server", ...sites], other: ["somebody-else"] };
  await writeFile(join(job, "meta.json"), JSON.stringify({ name: "small", deploy_map: deployMap, min_clients: minClients, ...meta }));
  return job;
}
