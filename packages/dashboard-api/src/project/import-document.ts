import {
  checkDocument,
  type DocumentTree,
  FlareError,
  type Problem,
  type ProjectDocument,
  projectDocumentSchema,
  readDocumentTree,
} from "@flare-ts/contracts";
import { type Project, parseProject } from "@flare-ts/provision";
import { z } from "zod";
import {
  type ProjectStudy,
  projectCertificatesSchema,
  projectServerSchema,
  type SiteProperty,
  sitePropertySchema,
  studySchema,
} from "../contract/project.js";
import { capacitySchema, siteNameSchema } from "../contract/sites.js";
import type { ComposedPerson } from "./compose-document.js";
import type { ProjectChange } from "./project-store.js";

/** A site as a project file names one. */
export interface ImportedSite {
  readonly name: string;
  readonly organization: string;
  readonly capacity: { readonly gpus: number; readonly memPerGpuGiB: number };
  readonly allowLogStreaming: boolean;
  readonly description: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** What a project file comes to in a dashboard. */
export interface ImportedDocument {
  readonly change: ProjectChange;
  readonly sites: readonly ImportedSite[];
  readonly people: readonly ComposedPerson[];
  /** What has no effect. */
  readonly warnings: readonly string[];
}

const file = "project.yml";
const staticFileBuilder = "nvflare.lighter.impl.static_file.StaticFileBuilder";

/** What the dashboard wrote beside the project itself. */
const extrasSchema = z.object({
  title: z.string().max(200).default(""),
  starts: z.iso.datetime().nullable().default(null),
  ends: z.iso.datetime().nullable().default(null),
  site_properties: z.array(z.looseObject({ is_required: z.boolean().default(true) })).default([]),
  sites: z
    .record(
      z.string(),
      z.object({ description: z.string().max(10_000).default(""), properties: z.record(z.string(), z.string()).default({}) }),
    )
    .default({}),
});

/**
 * Reads a project file of somebody else's. It is checked as `flare provision` checks it; what would read other files of this machine, or
 * run modules on it, is refused.
 *
 * @throws FlareError `project/invalid`, `project/not-supported`
 */
export function importDocument(text: string): ImportedDocument {
  try {
    // Before anything else looks at it: an included file would be one of this machine.
    const tree = readDocumentTree({ text, file, code: "project/invalid", hasMergeKeys: true });
    refuseForeign(tree);
    const { value } = checkDocument({ tree, file, schema: projectDocumentSchema, code: "project/invalid" });
    const project = parseProject(text, file);
    const extras = readExtras(value);
    return {
      change: changeOf(value, project, extras),
      sites: sitesOf(value, extras),
      people: value.participants.flatMap((one) =>
        one.type === "admin" ? [{ email: one.name.toLowerCase(), organization: one.org, role: one.role }] : [],
      ),
      warnings: [...project.warnings.map(withLine), ...leftOut(value)],
    };
  } catch (reason) {
    throw explained(reason);
  }
}

const foreignKeys = ["include", "edge", "packager", "custom_ca_cert"] as const;

function refuseForeign(tree: DocumentTree): void {
  const problems = [...foreignParts(tree), ...foreignBuilders(tree)];
  if (problems.length > 0) throw new FlareError("project/not-supported", `${file} asks for what the dashboard does not do.`, { problems });
}

function foreignParts(tree: DocumentTree): Problem[] {
  const problems: Problem[] = [];
  // Anchors can make a part appear in many places, or inside itself.
  const seen = new Set<object>();
  const visit = (value: unknown, path: readonly PropertyKey[]): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    for (const [key, item] of Object.entries(value)) {
      const at = [...path, Array.isArray(value) ? Number(key) : key];
      if (!Array.isArray(value) && item !== null && foreignKeys.some((foreign) => foreign === key)) {
        problems.push({ message: `${key} is not taken over by the dashboard; remove it`, line: tree.locate(at).line });
      } else visit(item, at);
    }
  };
  visit(tree.value, []);
  return problems;
}

function foreignBuilders(tree: DocumentTree): Problem[] {
  const builders = (tree.value as { builders?: unknown } | null)?.builders;
  if (!Array.isArray(builders)) return [];
  return builders.flatMap((builder: { path?: unknown } | null, index) => {
    const path = String(builder?.path).slice(0, 100);
    const { line } = tree.locate(["builders", index]);
    if (!path.startsWith("nvflare.")) return [{ message: `the builder '${path}' would run on the dashboard's machine; remove it`, line }];
    // It reads a file that is named in its arguments.
    if (path.endsWith("docker.DockerBuilder")) return [{ message: "DockerBuilder needs flare provision; remove it", line }];
    return [];
  });
}

function changeOf(document: ProjectDocument, project: Project, extras: z.output<typeof extrasSchema>): ProjectChange {
  const server = document.participants.find((one) => one.type === "server");
  const { keyType, leafLifetimeMs, rootValidDays, renewalIssuer } = project.certificates;
  if (server === undefined) throw new TypeError("a project without a server passed its checks");
  const host = server.default_host ?? server.name;
  const hosts = [
    ...(typeof server.host_names === "string" ? [server.host_names] : (server.host_names ?? [])),
    ...(host === server.name ? [] : [host]),
  ];
  return {
    name: project.name,
    title: extras.title,
    description: document.description ?? "",
    startsAtMs: extras.starts === null ? null : Date.parse(extras.starts),
    endsAtMs: extras.ends === null ? null : Date.parse(extras.ends),
    server: projectServerSchema.parse({ name: server.name, port: server.fed_learn_port ?? 8002, hosts, organization: server.org }),
    connectionSecurity: server.connection_security ?? document.connection_security ?? "mtls",
    allowLogStreaming: document.allow_log_streaming ?? false,
    certificates: projectCertificatesSchema.parse({
      keyType,
      leafLifetime: durationText(leafLifetimeMs),
      rootValidDays,
      renewal: renewalIssuer,
    }),
    studies: studiesOf(document),
    siteProperties: extras.site_properties.map(
      ({ is_required, ...rest }): SiteProperty => sitePropertySchema.parse({ ...rest, isRequired: is_required }),
    ),
    dockerImage: project.outputs.dockerImage ?? null,
  };
}

function studiesOf({ studies }: ProjectDocument): ProjectStudy[] {
  return Object.entries(studies ?? {}).map(([name, study]) =>
    studySchema.parse({ name, sites: Object.values(study?.site_orgs ?? {}).flat(), people: study?.admins ?? [] }),
  );
}

function sitesOf(document: ProjectDocument, extras: z.output<typeof extrasSchema>): ImportedSite[] {
  return document.participants.flatMap((one) => {
    if (one.type !== "client") return [];
    const { description = "", properties = {} } = extras.sites[one.name] ?? {};
    const capacity = capacitySchema.parse({ gpus: one.capacity?.num_of_gpus ?? 0, memPerGpuGiB: one.capacity?.mem_per_gpu_in_GiB ?? 0 });
    const allowLogStreaming = one.allow_log_streaming ?? document.allow_log_streaming ?? false;
    return [{ name: siteNameSchema.parse(one.name), organization: one.org, capacity, allowLogStreaming, description, properties }];
  });
}

function readExtras(document: ProjectDocument): z.output<typeof extrasSchema> {
  const parsed = extrasSchema.safeParse(document.dashboard ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => ({ message: `dashboard.${path.join(".")}: ${message}` }));
  throw new FlareError("project/invalid", `${file} has mistakes.`, { problems });
}

/** What a project file may say of participants and the dashboard does not keep. */
function leftOut({ participants, builders }: ProjectDocument): string[] {
  const keys = ["connect_to", "listening_host", "parent", "auth_identity"] as const;
  const ofParticipants = participants.flatMap((one) => {
    if (one.type === "relay") return [`relay '${one.name}' is left out: the dashboard makes no kits of relays`];
    if (one.type === "other" || one.type === "overseer") return [];
    const found = keys.filter(
      (key) => (one as Record<string, unknown>)[key] !== undefined && (one as Record<string, unknown>)[key] !== null,
    );
    return found.map((key) => `${key} of '${one.name}' is left out: the dashboard's sites connect to the server itself`);
  });
  const others = (builders ?? []).filter(
    ({ path, args }) => path === staticFileBuilder && Object.keys(args ?? {}).some((key) => key !== "docker_image" && key !== "scheme"),
  );
  return [...ofParticipants, ...(others.length > 0 ? ["of StaticFileBuilder only docker_image is taken over"] : [])];
}

/** A duration in the largest unit that says it exactly. */
function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const units = [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
  ] as const;
  const [unit, size] = units.find(([, each]) => seconds % each === 0) ?? (["s", 1] as const);
  return `${seconds / size}${unit}`;
}

function withLine({ message, line }: Problem): string {
  return line === undefined ? message : `line ${line}: ${message}`;
}

/** The answer to a request has no lines of its own: they go into the messages. */
function explained(reason: unknown): unknown {
  if (reason instanceof z.ZodError) {
    const problems = reason.issues.map(({ path, message }) => ({ message: `${path.join(".")} ${message}`.trim() }));
    return new FlareError(
      "project/invalid",
      `${file} has what the dashboard cannot take over: ${problems.map(({ message }) => message).join("; ")}.`,
      { problems },
    );
  }
  if (!(reason instanceof FlareError)) return reason;
  const problems = reason.problems.map((problem) => ({ message: withLine(problem) }));
  const said = problems.map(({ message }) => message).join("; ");
  return new FlareError(reason.code, said === "" ? reason.message : `${file} cannot be taken over: ${said}.`.slice(0, 2000), {
    problems: problems.slice(0, 50),
  });
}
