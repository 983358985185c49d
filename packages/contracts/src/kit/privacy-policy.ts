import { z } from "zod";
import { nearestWord } from "../errors/nearest-word.js";
import { scopeNameSchema } from "../ids/names.js";
import { type ComponentClass, componentShape, readComponent } from "../job/component.js";
import { isEmpty } from "../job/ignored-settings.js";
import { statisticsFilterKinds } from "../job/is-statistics-filter.js";
import { leastSecureSites } from "../job/secure-aggregation.js";
import {
  type CleanserReference,
  missingCleansers,
  type NamedCleanser,
  type StatisticsFilter,
  statisticsFilterClasses,
  statisticsPrivacyFilterClass,
  withCleansers,
} from "../job/statistics-filters.js";
import { checkSvtPrivacy, type SvtPrivacySettings, svtPrivacyOf } from "../job/svt-privacy-args.js";
import { updateFilterArgs } from "../job/update-filter-args.js";
import { limits } from "../limits.js";

/** What a site does to a job's results before they leave it. */
export type PrivacyFilter =
  /** Leaves out tensors, by their names or by a regular expression that is found in them. */
  | { readonly kind: "ExcludeVars"; readonly names: readonly string[] | RegExp }
  | { readonly kind: "PercentilePrivacy"; readonly percentile: number; readonly gamma: number }
  | { readonly kind: "ClipNorm"; readonly maxNorm: number }
  | ({ readonly kind: "GaussianPrivacy"; readonly clipNorm: number; readonly noiseMultiplier: number } & PrivacyAccount)
  | (SvtPrivacySettings & PrivacyAccount)
  /** Lets these metrics out, and no others. */
  | { readonly kind: "AllowMetrics"; readonly metrics: readonly string[] }
  /** Tells the server this weight, whatever the job said. */
  | { readonly kind: "FixedWeight"; readonly weight: number }
  /** Lets the site take part in private set intersections, with lists of so many identifiers at most, its own and those of others. */
  | { readonly kind: "AllowPsi"; readonly maxItems: number; readonly showSizes: boolean }
  | StatisticsFilter;

/** How the noise of a scope is counted. */
interface PrivacyAccount {
  readonly delta: number;
  /** The ε that all updates of the scope may come to; `undefined`: no limit. */
  readonly epsilonBudget: number | undefined;
}

/** What holds for the jobs of a scope. */
export interface PrivacyScope {
  readonly name: string;
  readonly resultFilters: readonly PrivacyFilter[];
  /** Updates leave the site only where the server adds them without reading them, those of so many sites at least; `undefined`: also read. */
  readonly secureAggregation?: { readonly minSites: number } | undefined;
}

/** `local/privacy.json`: what of a job's results leaves a site. */
export interface PrivacyPolicy {
  readonly scopes: readonly PrivacyScope[];
  /** Scope of jobs that name none; `undefined`: they do not run here. */
  readonly defaultScope: string | undefined;
}

const positive = z.number().gt(0).max(1e9);

const accountArgs = { delta: z.number().gt(0).max(0.01).default(1e-5), epsilon_budget: positive.optional() };

const filterClasses: readonly ComponentClass<PrivacyFilter | CleanserReference>[] = [
  classOf("ExcludeVars", updateFilterArgs.ExcludeVars, ({ exclude_vars: names }) => ({ names })),
  classOf("PercentilePrivacy", updateFilterArgs.PercentilePrivacy, ({ percentile, gamma }) => ({ percentile, gamma })),
  classOf("ClipNorm", updateFilterArgs.ClipNorm, ({ max_norm: maxNorm }) => ({ maxNorm })),
  classOf(
    "GaussianPrivacy",
    { ...updateFilterArgs.GaussianPrivacy, ...accountArgs },
    ({ clip_norm: clipNorm, noise_multiplier: noiseMultiplier, delta, epsilon_budget: epsilonBudget }) => ({
      clipNorm,
      noiseMultiplier,
      delta,
      epsilonBudget,
    }),
  ),
  classOf(
    "SVTPrivacy",
    { ...updateFilterArgs.SVTPrivacy, ...accountArgs },
    ({ delta, epsilon_budget: epsilonBudget, ...args }) => ({ ...svtPrivacyOf(args), delta, epsilonBudget }),
    checkSvtPrivacy,
  ),
  classOf("AllowMetrics", { metrics: z.array(z.string().min(1)) }, ({ metrics }) => ({ metrics })),
  classOf("FixedWeight", { weight: positive.default(1) }, ({ weight }) => ({ weight })),
  classOf(
    "AllowPsi",
    { max_items: z.int().min(1).max(limits.psiItems).default(limits.psiItems), show_sizes: z.boolean().default(false) },
    ({ max_items: maxItems, show_sizes: showSizes }) => ({ maxItems, showSizes }),
  ),
  ...statisticsFilterClasses,
  statisticsPrivacyFilterClass,
];

const filterSchema = z
  .strictObject({
    path: z.string().min(1).optional(),
    name: z.string().min(1).optional(),
    id: z.string().min(1).optional(),
    args: z.record(z.string(), z.unknown()).default({}),
    direction: z.enum(["out", "inout"], "must be out: what comes in is no result").optional(),
  })
  .transform((written, context): PrivacyFilter | CleanserReference => {
    const { path, name, args } = written;
    if ((path === undefined) === (name === undefined)) {
      context.addIssue({ code: "custom", message: "needs one of path and name" });
      return z.NEVER;
    }
    // Mistakes in the name are told at the key that it stands under.
    const key = path === undefined ? "name" : "path";
    const addIssue: Parameters<typeof readComponent>[3]["addIssue"] = (issue) =>
      context.addIssue({ ...issue, path: issue.path.map((part, i) => (i === 0 && part === "path" ? key : part)) });
    return readComponent("filter", filterClasses, { path: path ?? name ?? "", args }, { addIssue })?.args ?? z.NEVER;
  });

const cleanserSchema = z.strictObject({ id: z.string().min(1), ...componentShape }).transform((written, context): NamedCleanser => {
  const read = readComponent("component", statisticsFilterClasses, written, context);
  return read === undefined ? z.NEVER : { id: written.id, filter: read.args };
});

const scopeSchema = z
  .strictObject({
    name: scopeNameSchema,
    properties: z
      .unknown()
      .optional()
      .refine(isEmpty, "nobody reads properties here; where data lies stands in datasets of local/resources.json"),
    task_data_filters: z.unknown().optional().refine(isEmpty, "what comes from the server is not filtered here; leave it empty"),
    task_result_filters: z.array(filterSchema).default([]),
    secure_aggregation: z
      .strictObject({ min_sites: z.int().min(leastSecureSites, `must be at least ${leastSecureSites}`).default(3) })
      .transform(({ min_sites: minSites }) => ({ minSites }))
      .optional(),
  })
  .superRefine(({ task_result_filters: filters }, context) => {
    for (const kind of ["GaussianPrivacy", "SVTPrivacy", "AllowMetrics", "FixedWeight", "AllowPsi", ...statisticsFilterKinds] as const) {
      const places = filters.flatMap((filter, i) => (filter.kind === kind ? [i] : []));
      const [, second] = places;
      if (second !== undefined)
        context.addIssue({ code: "custom", path: ["task_result_filters", second], message: `${kind} stands once in a scope` });
    }
    const noises = filters.flatMap(({ kind }, i) => (kind === "GaussianPrivacy" || kind === "SVTPrivacy" ? [{ kind, i }] : []));
    const [first, other] = noises;
    if (first !== undefined && other !== undefined && first.kind !== other.kind) {
      const message = "GaussianPrivacy and SVTPrivacy stand in scopes of their own: one noise is enough";
      context.addIssue({ code: "custom", path: ["task_result_filters", other.i], message });
    }
    const noise = filters.findIndex(({ kind }) => kind === "GaussianPrivacy");
    const after = filters.findIndex(({ kind }, i) => i > noise && (kind === "PercentilePrivacy" || kind === "ClipNorm"));
    if (noise >= 0 && after > noise) {
      const message = "stands before GaussianPrivacy: after the noise it would only take from the update";
      context.addIssue({ code: "custom", path: ["task_result_filters", after], message });
    }
  });

/** FLARE's place for cleansers, which a StatisticsPrivacyFilter names; there are no other components here. */
const cleansersSchema = z
  .unknown()
  .optional()
  .transform((written) => (isEmpty(written) ? [] : written))
  .pipe(z.array(cleanserSchema));

/** `local/privacy.json`, compiled. */
export const privacyPolicySchema = z
  .strictObject({
    scopes: z.array(scopeSchema).min(1, "needs a scope").max(limits.privacyScopes),
    default_scope: scopeNameSchema.optional(),
    components: cleansersSchema,
  })
  .superRefine(({ scopes, default_scope: defaultScope, components }, context) => {
    scopes.forEach(({ task_result_filters: filters }, i) => {
      for (const { index, id } of missingCleansers(filters, components)) {
        const path = ["scopes", i, "task_result_filters", index, "args", "result_cleanser_ids"];
        context.addIssue({ code: "custom", path, message: `no component is a cleanser with the id '${id}'` });
      }
    });
    const names = scopes.map(({ name }) => name);
    names.forEach((name, i) => {
      if (names.indexOf(name) < i) context.addIssue({ code: "custom", path: ["scopes", i, "name"], message: `'${name}' is there already` });
    });
    if (defaultScope === undefined || names.includes(defaultScope)) return;
    const near = nearestWord(defaultScope, names);
    const message = `'${defaultScope}' is none of the scopes${near === undefined ? "" : `; did you mean '${near}'?`}`;
    context.addIssue({ code: "custom", path: ["default_scope"], message });
  })
  .transform(
    ({ scopes, default_scope: defaultScope, components }): PrivacyPolicy => ({
      scopes: scopes.map(({ name, task_result_filters: filters, secure_aggregation: secureAggregation }) => ({
        name,
        resultFilters: withCleansers(filters, components),
        secureAggregation,
      })),
      defaultScope,
    }),
  );

type FilterOf<Kind extends PrivacyFilter["kind"]> = Extract<PrivacyFilter, { readonly kind: Kind }>;

/** A class of filters: its name, its arguments as written, and the filter that they come to. */
function classOf<Kind extends PrivacyFilter["kind"], Shape extends z.ZodRawShape>(
  name: Kind,
  shape: Shape,
  read: (args: z.output<z.ZodObject<Shape>>) => Omit<FilterOf<Kind>, "kind">,
  check: (args: z.output<z.ZodObject<Shape>>, context: z.RefinementCtx) => void = () => undefined,
): ComponentClass<PrivacyFilter> {
  const args = z
    .strictObject(shape)
    .superRefine((written, context) => check(written as z.output<z.ZodObject<Shape>>, context))
    .transform((written) => ({ kind: name, ...read(written as z.output<z.ZodObject<Shape>>) }) as FilterOf<Kind>);
  return { name, args, argNames: Object.keys(shape), refusedArgs: {} };
}
