import {
  type AuthorizationPolicy,
  authorizationPolicySchema,
  clientResourcesSchema,
  FlareError,
  type LogConfig,
  limits,
  logConfigSchema,
  type PrivacyPolicy,
  privacyPolicySchema,
  readDocument,
  type SecretSource,
  serverResourcesSchema,
  type UpdateForm,
} from "@flare-ts/contracts";
import type { Kit } from "./kit.js";
import { readKitFile } from "./read-kit-file.js";

/** What a participant's processes may hold together; `undefined`: no limit was set. */
export interface ResourceBudget {
  readonly maxMemoryBytes: number | undefined;
  readonly maxDiskBytes: number | undefined;
}

/** What a server lets itself be loaded with. */
export interface ServerResources extends ResourceBudget {
  readonly type: "server";
  readonly maxClients: number;
  /** Jobs that run at the same time. */
  readonly maxJobs: number;
  /** What makes no progress for so long is given up. */
  readonly stallMs: number;
}

/** What a site puts at a job's disposal. */
export interface ClientResources extends ResourceBudget {
  readonly type: "client";
  readonly gpus: number;
  readonly memPerGpuGiB: number;
  /** Processors for jobs that ask for some; `undefined`: those that the site's process may use. */
  readonly cpus: number | undefined;
  /** Memory for jobs that ask for some; `undefined`: that of the machine. */
  readonly memoryBytes: number | undefined;
  /** Whether log lines of jobs may be read from afar. */
  readonly allowsLogStreaming: boolean;
  /** Data set's name to its path on the site's disk. */
  readonly datasets: Readonly<Record<string, string>>;
  /** How updates leave the site, whatever a job says; `undefined`: the job decides. */
  readonly updateForm: "none" | UpdateForm | undefined;
  /** What makes no progress for so long is given up. */
  readonly stallMs: number;
  /** Secret's name to where it is. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  /** Where trainers that are started by hand find their job; `undefined`: in the site's own folder. */
  readonly attachFolder: string | undefined;
}

export type LocalResources = ServerResources | ClientResources;

const defaultMaxJobs = 4;

/**
 * Reads `local/resources.json`, or its default, of a server's or client's kit.
 *
 * @throws FlareError `kit/file-missing`, `kit/local-invalid` with each mistake and its line, `kit/wrong-type` for the
 * kit of an admin or a relay.
 */
export async function readLocalResources(kit: Kit): Promise<LocalResources> {
  if (kit.type === "admin" || kit.type === "relay")
    throw new FlareError("kit/wrong-type", `${kit.dir} is the kit of a ${kit.type}; it has no resources.`, { facts: { dir: kit.dir } });
  const { text, file } = await readLocal(kit, "resources", "resources.json");
  if (kit.type === "server") {
    const document = readDocument({ text, file, schema: serverResourcesSchema, code: "kit/local-invalid" }).value;
    const { servers, components } = document;
    const [server] = servers;
    if (server === undefined) throw new TypeError("a list that the schema says has one entry is empty");
    const maxJobs = components[0]?.args.max_jobs ?? defaultMaxJobs;
    return { type: "server", maxClients: server.max_num_clients, maxJobs, stallMs: stallMsOf(document), ...budgetOf(document) };
  }
  const document = readDocument({ text, file, schema: clientResourcesSchema, code: "kit/local-invalid" }).value;
  const { components, datasets, update_form: updateForm, secrets = {}, attach_folder: attachFolder } = document;
  const { allow_log_streaming: allowsLogStreaming = false } = document;
  const capacity = components[0]?.args;
  return {
    type: "client",
    gpus: capacity?.num_of_gpus ?? 0,
    memPerGpuGiB: capacity?.mem_per_gpu_in_GiB ?? 0,
    cpus: capacity?.num_of_cpus,
    memoryBytes: capacity?.memory,
    allowsLogStreaming,
    datasets,
    updateForm,
    ...budgetOf(document),
    stallMs: stallMsOf(document),
    secrets,
    attachFolder,
  };
}

function budgetOf({
  max_memory,
  max_disk,
}: {
  readonly max_memory?: number | undefined;
  readonly max_disk?: number | undefined;
}): ResourceBudget {
  return { maxMemoryBytes: max_memory, maxDiskBytes: max_disk };
}

function stallMsOf({ stall_timeout: seconds }: { readonly stall_timeout?: number | undefined }): number {
  return seconds === undefined ? limits.stallMs : Math.round(seconds * 1000);
}

/**
 * Reads `local/authorization.json`, or its default: what this site lets whom do.
 *
 * @throws FlareError `kit/file-missing`, `kit/local-invalid` with each mistake and its line.
 */
export async function readAuthorizationPolicy(kit: Kit): Promise<AuthorizationPolicy> {
  const { text, file } = await readLocal(kit, "authorization", "authorization.json");
  return readDocument({ text, file, schema: authorizationPolicySchema, code: "kit/local-invalid" }).value;
}

/**
 * Reads `local/log_config.json`, or its default.
 *
 * @throws FlareError `kit/file-missing`, `kit/local-invalid` with each mistake and its line.
 */
export async function readLogConfig(kit: Kit): Promise<LogConfig> {
  const { text, file } = await readLocal(kit, "logConfig", "log_config.json");
  return readDocument({ text, file, schema: logConfigSchema, code: "kit/local-invalid" }).value;
}

/**
 * Reads `local/privacy.json` of a site; `undefined` where it has none: what its jobs make leaves it as they made it.
 *
 * @throws FlareError `kit/local-invalid` with each mistake and its line.
 */
export async function readPrivacyPolicy(kit: Kit): Promise<PrivacyPolicy | undefined> {
  const file = kit.local.privacy;
  if (file === undefined) return undefined;
  return readDocument({ text: await readKitFile(file), file, schema: privacyPolicySchema, code: "kit/local-invalid" }).value;
}

async function readLocal(
  kit: Kit,
  which: "resources" | "authorization" | "logConfig",
  name: string,
): Promise<{ text: string; file: string }> {
  const file = kit.local[which];
  if (file !== undefined) return { text: await readKitFile(file), file };
  throw new FlareError("kit/file-missing", `${kit.local.dir} has neither ${name} nor ${name}.default.`, {
    facts: { dir: kit.local.dir, file: name },
  });
}
