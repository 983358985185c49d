import { nearestWord, type ProjectDocument, rootValidDaysSchema } from "@flare-ts/contracts";
import { type BuilderRule, builderRules, packagerRules } from "./builder-rules.js";
import type { DocumentPath, Findings } from "./findings.js";
import { isModulePath, type PluginReference, readPluginReference } from "./plugin-reference.js";

/** What the builders and the packager of a project file come to. */
export interface BuilderSettings {
  readonly rootValidDays?: number;
  readonly requireSignedJobs?: true;
  readonly dockerImage?: string;
  readonly compose?: { readonly baseImage?: string; readonly requirementsFile: string };
  readonly plugins: { readonly builders: readonly PluginReference[]; readonly packager?: PluginReference };
}

type BuilderDocument = NonNullable<ProjectDocument["packager"]>;
type FromArguments = Partial<Omit<BuilderSettings, "plugins" | "compose">> & { baseImage?: string; requirementsFile?: string };

const defaultRequirementsFile = "requirements.txt";

/** Maps FLARE's builders and their arguments to what provisioning does here, and takes modules of the user's. */
export function readBuilders(project: ProjectDocument, findings: Findings): BuilderSettings {
  let settings: FromArguments = {};
  const plugins: PluginReference[] = [];
  let hasCompose = false;
  (project.builders ?? []).forEach((builder, index) => {
    const path = ["builders", index];
    if (isModulePath(builder.path)) plugins.push(readPluginReference(builder, path, findings));
    else settings = { ...settings, ...readKnown({ builder, path, rules: builderRules, what: "builder" }, findings) };
    hasCompose ||= builder.path.endsWith("docker.DockerBuilder");
  });
  const packager = readPackager(project.packager, findings);
  const { baseImage, requirementsFile = defaultRequirementsFile, ...rest } = settings;
  return {
    ...rest,
    ...(hasCompose ? { compose: { requirementsFile, ...(baseImage === undefined ? {} : { baseImage }) } } : {}),
    plugins: { builders: plugins, ...(packager === undefined ? {} : { packager }) },
  };
}

function readPackager(packager: ProjectDocument["packager"], findings: Findings): PluginReference | undefined {
  if (packager === undefined || packager === null) return undefined;
  if (isModulePath(packager.path)) return readPluginReference(packager, ["packager"], findings);
  // The packager of the first versions was a builder.
  readKnown({ builder: packager, path: ["packager"], rules: { ...builderRules, ...packagerRules }, what: "packager" }, findings);
  return undefined;
}

interface Known {
  readonly builder: BuilderDocument;
  readonly path: DocumentPath;
  readonly rules: Readonly<Record<string, BuilderRule>>;
  readonly what: "builder" | "packager";
}

function readKnown({ builder, path, rules, what }: Known, findings: Findings): FromArguments {
  const rule = Object.hasOwn(rules, builder.path) ? rules[builder.path] : undefined;
  const name = shortName(builder.path);
  const at = [...path, "path"];
  if (rule === undefined) {
    const near = nearestBuilder(builder.path, Object.keys(rules));
    const advice =
      near === undefined ? `a ${what} of your own is a JavaScript module here, such as ./my-${what}.mjs` : `did you mean '${near}'?`;
    findings.mistake(at, `unknown ${what} '${builder.path}'; ${advice}`);
  } else if (rule.mistake !== undefined) findings.mistake(at, `${name}: ${rule.mistake}`);
  else if (rule.warn !== undefined) findings.warning(at, `${name} has no effect: ${rule.warn}`);
  else {
    const values = Object.entries(builder.args ?? {}).map(([argument, value]) =>
      readArgument({ name, rule, argument, value, path: [...path, "args", argument] }, findings),
    );
    return Object.assign({}, ...values) as FromArguments;
  }
  return {};
}

interface Argument {
  readonly name: string;
  readonly rule: BuilderRule;
  readonly argument: string;
  readonly value: unknown;
  readonly path: DocumentPath;
}

function readArgument({ name, rule, argument, value, path }: Argument, findings: Findings): FromArguments {
  const known = Object.hasOwn(rule.args, argument) ? rule.args[argument] : undefined;
  if (known === undefined) {
    const near = nearestWord(argument, Object.keys(rule.args));
    const message = `${name} has no argument '${argument}'${near === undefined ? "" : `; did you mean '${near}'?`}`;
    if (rule.takesAnyArgument === true && near === undefined) findings.warning(path, `${message}; it has no effect`);
    else findings.mistake(path, message);
    return {};
  }
  if (value === null || value === undefined || value === "" || known === "silent") return {};
  if (argument === "config_folder" && value === "config") return {};
  if (typeof known === "object") {
    findings.warning(path, `${argument} has no effect: ${known.warn}`);
    return {};
  }
  const reader = argumentReaders[argument];
  if (reader === undefined) throw new TypeError(`nothing reads the argument ${argument}`);
  return reader(value, path, findings);
}

const argumentReaders: Readonly<Record<string, (value: unknown, path: DocumentPath, findings: Findings) => FromArguments>> = {
  root_valid_days: (value, path, findings) => {
    const result = rootValidDaysSchema.safeParse(value);
    if (result.success) return { rootValidDays: result.data };
    findings.mistake(path, `root_valid_days ${result.error.issues[0]?.message}`);
    return {};
  },
  scheme: (value, path, findings) => {
    if (typeof value !== "string") findings.mistake(path, "scheme must be grpc, http or tcp");
    else if (value.toLowerCase().trim() !== "grpc") findings.warning(path, `scheme ${value} has no effect: connections use grpc`);
    return {};
  },
  require_signed_jobs: (value, path, findings) => {
    if (value === true) return { requireSignedJobs: true };
    if (value === false) findings.warning(path, "require_signed_jobs false has no effect: every job is signed and verified");
    else findings.mistake(path, "require_signed_jobs must be true or false");
    return {};
  },
  docker_image: (value, path, findings) => readImage("docker_image", value, path, findings, (dockerImage) => ({ dockerImage })),
  base_image: (value, path, findings) => readImage("base_image", value, path, findings, (baseImage) => ({ baseImage })),
  requirements_file: (value, path, findings) => {
    if (typeof value === "string") return { requirementsFile: value };
    findings.mistake(path, "requirements_file must be the path of a file");
    return {};
  },
};

/** The name goes into scripts and files of Docker's: nothing that means more than a name there may stand in it. */
function readImage(
  argument: string,
  value: unknown,
  path: DocumentPath,
  findings: Findings,
  take: (image: string) => FromArguments,
): FromArguments {
  if (typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$/.test(value)) return take(value);
  findings.mistake(path, `${argument} must be the name of an image, such as registry/name:tag`);
  return {};
}

function nearestBuilder(path: string, known: readonly string[]): string | undefined {
  // Elsewhere a class of the user's may have any name.
  if (!path.startsWith("nvflare.")) return undefined;
  const byPath = nearestWord(path, known);
  if (byPath !== undefined && shortName(byPath) === shortName(path)) return byPath;
  const byName = nearestWord(shortName(path), known.map(shortName));
  return known.find((candidate) => shortName(candidate) === byName);
}

function shortName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
