import { nearestWord, type ProjectDocument } from "@flare-ts/contracts";
import type { Findings } from "./findings.js";

/** What the builders of a project file come to. */
export interface BuilderSettings {
  /** @default 360 */
  readonly rootValidDays: number;
  readonly requireSignedJobs?: true;
}

const defaultRootValidDays = 360;
/** A century; X.509 could say more, no project should. */
const maxRootValidDays = 36_525;

/** What an argument comes to: taken over, ignored with the reason, or nothing to say about. */
type ArgumentRule = "used" | "silent" | { readonly warn: string };

interface BuilderRule {
  readonly args: Readonly<Record<string, ArgumentRule>>;
  readonly warn?: string;
  readonly isUnsupported?: boolean;
}

const base = "nvflare.lighter.impl.";
const notWritten = (what: string): BuilderRule => ({ args: {}, warn: `${what} not written yet` });

const builders: Readonly<Record<string, BuilderRule>> = {
  [`${base}workspace.WorkspaceBuilder`]: { args: { template_file: "silent" } },
  [`${base}template.TemplateBuilder`]: { args: {} },
  [`${base}static_file.StaticFileBuilder`]: {
    args: {
      config_folder: { warn: "the folder of a job's configuration is always 'config'" },
      scheme: "used",
      app_validator: { warn: "jobs are checked by the built-in rules" },
      download_job_url: { warn: "jobs are downloaded over the one port" },
      docker_image: { warn: "docker.sh is not written yet" },
      overseer_agent: { warn: "FLARE has no overseer any more" },
      snapshot_persistor: { warn: "the server keeps its own journal" },
      require_signed_jobs: "used",
    },
  },
  [`${base}cert.CertBuilder`]: { args: { root_valid_days: "used" } },
  [`${base}signature.SignatureBuilder`]: { args: {} },
  [`${base}he.HEBuilder`]: notWritten("contexts of homomorphic encryption are"),
  [`${base}docker.DockerBuilder`]: notWritten("compose.yaml is"),
  [`${base}aws.AWSBuilder`]: notWritten("aws_start.sh is"),
  [`${base}azure.AzureBuilder`]: notWritten("azure_start.sh is"),
  [`${base}edge.EdgeBuilder`]: { args: {}, isUnsupported: true },
  "nvflare.lighter.cc_provision.impl.cc.CCBuilder": { args: {}, isUnsupported: true },
};

/** Maps FLARE's builders and their arguments to what provisioning does here; every other builder is a mistake. */
export function readBuilders(list: ProjectDocument["builders"], findings: Findings): BuilderSettings {
  let settings: BuilderSettings = { rootValidDays: defaultRootValidDays };
  (list ?? []).forEach((builder, index) => {
    const path = ["builders", index] as const;
    const rule = Object.hasOwn(builders, builder.path) ? builders[builder.path] : undefined;
    const name = shortName(builder.path);
    if (rule === undefined) {
      const near = nearestBuilder(builder.path);
      findings.mistake([...path, "path"], `unknown builder '${builder.path}'${near === undefined ? "" : `; did you mean '${near}'?`}`);
      return;
    }
    if (rule.isUnsupported === true) {
      findings.unsupported([...path, "path"], `${name} is not supported yet`);
      return;
    }
    if (rule.warn !== undefined) {
      findings.warning([...path, "path"], `${name} has no effect: ${rule.warn}`);
      return;
    }
    for (const [argument, value] of Object.entries(builder.args ?? {})) {
      settings = { ...settings, ...readArgument({ name, rule, argument, value, path: [...path, "args", argument] }, findings) };
    }
  });
  return settings;
}

interface Argument {
  readonly name: string;
  readonly rule: BuilderRule;
  readonly argument: string;
  readonly value: unknown;
  readonly path: readonly PropertyKey[];
}

function readArgument({ name, rule, argument, value, path }: Argument, findings: Findings): Partial<BuilderSettings> {
  const known = Object.hasOwn(rule.args, argument) ? rule.args[argument] : undefined;
  if (known === undefined) {
    const near = nearestWord(argument, Object.keys(rule.args));
    findings.mistake(path, `${name} has no argument '${argument}'${near === undefined ? "" : `; did you mean '${near}'?`}`);
    return {};
  }
  if (value === null || value === undefined || known === "silent") return {};
  if (argument === "config_folder" && value === "config") return {};
  if (typeof known === "object") {
    findings.warning(path, `${argument} has no effect: ${known.warn}`);
    return {};
  }
  return readUsedArgument(argument, value, path, findings);
}

function readUsedArgument(argument: string, value: unknown, path: readonly PropertyKey[], findings: Findings): Partial<BuilderSettings> {
  if (argument === "root_valid_days") {
    if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= maxRootValidDays) return { rootValidDays: Number(value) };
    findings.mistake(path, `root_valid_days must be a whole number from 1 to ${maxRootValidDays}`);
  } else if (argument === "scheme") {
    if (value === "http" || value === "tcp") findings.warning(path, `scheme ${value} has no effect: connections use grpc`);
    else if (value !== "grpc") findings.mistake(path, "scheme must be grpc, http or tcp");
  } else if (argument === "require_signed_jobs") {
    if (value === true) return { requireSignedJobs: true };
    if (value === false) findings.warning(path, "require_signed_jobs false has no effect: every job is signed and verified");
    else findings.mistake(path, "require_signed_jobs must be true or false");
  }
  return {};
}

function nearestBuilder(path: string): string | undefined {
  const byPath = nearestWord(path, Object.keys(builders));
  if (byPath !== undefined && shortName(byPath) === shortName(path)) return byPath;
  const byName = nearestWord(shortName(path), Object.keys(builders).map(shortName));
  return Object.keys(builders).find((known) => shortName(known) === byName) ?? byPath;
}

function shortName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
