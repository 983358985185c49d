import { z } from "zod";
import type { ReadDocument } from "../documents/read-document.js";
import type { Problem } from "../errors/flare-error.js";
import { scopeNameSchema, siteNameSchema, studyNameSchema } from "../ids/names.js";
import { isEmpty } from "./ignored-settings.js";
import { otherSites, type ResourceSpec, resourceSpecSchema } from "./resource-spec.js";
import { type SecureAggregation, secureAggregationSchema } from "./secure-aggregation.js";

/** Name of the server in a deploy map. */
export const serverTarget = "server";

/** What a job is and where its apps go, from `meta.json`. */
export interface JobMeta {
  readonly name: string;
  /** Where each app runs. */
  readonly deployMap: Readonly<Record<string, DeployTargets>>;
  /** `min_clients`; `undefined` when it was not written: one site is enough to start. */
  readonly minClients: number | undefined;
  /** Sites without which the job neither starts nor goes on. */
  readonly mandatoryClients: readonly string[];
  /** What it asks its sites for; see `resourcesFor`. */
  readonly resourceSpec: ResourceSpec;
  /** Privacy scope that the job's sites apply; `undefined` when it was not written: the default one of each site. */
  readonly scope: string | undefined;
  /** Study that the job is meant for; `undefined` when it was not written: that of the session. */
  readonly study: string | undefined;
  readonly customProps: Readonly<Record<string, unknown>>;
  /** How updates are added without being read; `undefined`: the server reads them. */
  readonly secureAggregation?: SecureAggregation | undefined;
}

/** The server and every site, or those that are named. */
export type DeployTargets = "@ALL" | readonly string[];

const jobName = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9 ._-]*[A-Za-z0-9_-])?$/, "may hold letters, digits, blanks, '.', '_' and '-' only")
  .max(128);
const appName = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?$/;

const targets = z.array(z.union([z.literal("@ALL"), siteNameSchema], { error: "is not the name of a site" }));
const deployment = z
  .union([targets, z.strictObject({ sites: targets }), z.strictObject({ targets })], {
    error: "must be a list of sites, or have one of the keys sites and targets",
  })
  .transform((written) => (Array.isArray(written) ? written : "sites" in written ? written.sites : written.targets));

/** `meta.json`. */
export const jobMetaSchema = z
  .strictObject({
    name: jobName,
    deploy_map: z.record(z.string(), deployment),
    min_clients: z.int().min(1).optional(),
    mandatory_clients: z.array(siteNameSchema).default([]),
    resource_spec: resourceSpecSchema,
    launcher_spec: notYet("launcher_spec"),
    scope: z.preprocess((written) => (isEmpty(written) ? undefined : written), scopeNameSchema.optional()),
    edge_method: notYet("edge_method"),
    study: studyNameSchema.optional(),
    custom_props: z.record(z.string(), z.unknown()).default({}),
    secure_aggregation: secureAggregationSchema.optional(),
    stats_pool_config: z.unknown().optional(),
  })
  .superRefine((meta, context) => {
    const complain = (path: PropertyKey[], message: string): void => context.addIssue({ code: "custom", path, message });
    checkDeployMap(meta.deploy_map, complain);
    meta.mandatory_clients.forEach((site, i) => {
      if (site === serverTarget) complain(["mandatory_clients", i], "the server is not a site");
    });
    if (Object.hasOwn(meta.resource_spec, serverTarget)) {
      complain(["resource_spec", serverTarget], "the server gives jobs none of these; it aggregates with what it finds");
    }
    const sites = listedSites(meta.deploy_map);
    const { minSites } = meta.secure_aggregation ?? {};
    if (minSites !== undefined && (meta.min_clients ?? 1) < minSites) {
      const message = `min_clients is ${meta.min_clients ?? 1}, but sums are of ${minSites} sites or more; the job must not start with fewer`;
      complain(meta.min_clients === undefined ? ["secure_aggregation", "min_sites"] : ["min_clients"], message);
    }
    if (sites === undefined) return;
    for (const site of Object.keys(meta.resource_spec)) {
      if (site !== otherSites && site !== serverTarget && !sites.includes(site))
        complain(["resource_spec", site], `'${site}' is not in deploy_map`);
    }
    meta.mandatory_clients.forEach((site, i) => {
      if (site !== serverTarget && !sites.includes(site)) complain(["mandatory_clients", i], `'${site}' is not in deploy_map`);
    });
    if ((meta.min_clients ?? 1) > sites.length) {
      complain(["min_clients"], `min_clients is ${meta.min_clients}, but deploy_map has ${sites.length} site(s)`);
    }
  });

export type JobMetaDocument = z.output<typeof jobMetaSchema>;

/** The meta data of a job, complete. */
export function compileMeta(document: JobMetaDocument): JobMeta {
  const deployMap = Object.entries(document.deploy_map).map(
    ([app, names]) => [app, isAll(names) ? ("@ALL" as const) : Object.freeze([...names])] as const,
  );
  return Object.freeze({
    name: document.name,
    deployMap: Object.freeze(Object.fromEntries(deployMap)),
    minClients: document.min_clients,
    mandatoryClients: Object.freeze([...document.mandatory_clients]),
    resourceSpec: Object.freeze({ ...document.resource_spec }),
    scope: document.scope,
    study: document.study,
    customProps: document.custom_props,
    secureAggregation: document.secure_aggregation,
  });
}

/** Keys of `meta.json` that are accepted and do nothing here. */
export function jobMetaWarnings(document: ReadDocument<JobMetaDocument>): readonly Problem[] {
  if (isEmpty(document.value.stats_pool_config)) return [];
  return [document.problemAt(["stats_pool_config"], "'stats_pool_config' has no effect here: message statistics are not kept")];
}

type Complain = (path: PropertyKey[], message: string) => void;

function checkDeployMap(map: Readonly<Record<string, readonly string[]>>, complain: Complain): void {
  const appOf = new Map<string, string>();
  const apps = Object.entries(map);
  for (const [app, names] of apps) {
    if (!appName.test(app)) complain(["deploy_map", app], `'${app}' is not the name of an app folder`);
    if (isAll(names) && apps.length > 1) complain(["deploy_map", app], `'${app}' goes everywhere, so no other app can go anywhere`);
    if (names.length > 1 && names.includes("@ALL")) complain(["deploy_map", app], "'@ALL' stands alone");
    for (const name of names) {
      const other = appOf.get(name);
      if (other !== undefined)
        complain(["deploy_map", app], other === app ? `'${name}' is named twice` : `'${name}' is in '${other}' already`);
      appOf.set(name, app);
    }
  }
  const coversServer = apps.some(([, names]) => isAll(names) || names.includes("@ALL") || names.includes(serverTarget));
  if (!coversServer) complain(["deploy_map"], "no app goes to 'server'");
}

/** Sites that a deploy map names, without the server; `undefined` when it means every site. */
function listedSites(map: Readonly<Record<string, readonly string[]>>): readonly string[] | undefined {
  const names = Object.values(map).flat();
  if (Object.values(map).some(isAll) || names.includes("@ALL")) return undefined;
  return names.filter((name) => name !== serverTarget);
}

function isAll(names: readonly string[]): boolean {
  return names.length === 0 || (names.length === 1 && names[0] === "@ALL");
}

function notYet(name: string) {
  return z.unknown().optional().refine(isEmpty, `${name} is not supported yet; remove it`);
}
