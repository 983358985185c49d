import { z } from "zod";
import { type ComponentClass, componentShape, readComponent } from "./component.js";
import { isEmpty } from "./ignored-settings.js";
import {
  type CleanserReference,
  type StatisticsFilter,
  statisticsFilterClasses,
  statisticsPrivacyFilterClass,
} from "./statistics-filters.js";
import { checkSvtPrivacy, type SvtPrivacySettings, svtPrivacyOf } from "./svt-privacy-args.js";
import { updateFilterArgs } from "./update-filter-args.js";
import { type UpdateForm, updateForms } from "./update-forms.js";

/** What is done to the results of tasks before they leave a job's process. Plain JSON: it goes from one process to another. */
export interface ResultFilterSettings {
  /** Names of tasks; `*` at the end stands for any rest. */
  readonly tasks: readonly string[];
  /** In this order. */
  readonly filters: readonly UpdateFilterSettings[];
  /** The form in which they are sent then; `undefined`: as they are. */
  readonly updateForm: UpdateForm | undefined;
}

/** One filter of a job's own. */
export type UpdateFilterSettings =
  | {
      readonly kind: "ExcludeVars" /** Names of tensors, or a regular expression that is found in them. */;
      readonly names: readonly string[] | string;
    }
  | { readonly kind: "PercentilePrivacy"; readonly percentile: number; readonly gamma: number }
  | { readonly kind: "ClipNorm"; readonly maxNorm: number }
  | { readonly kind: "GaussianPrivacy"; readonly clipNorm: number; readonly noiseMultiplier: number }
  | SvtPrivacySettings
  | StatisticsFilter;

/** FLARE's forms that only a GPU library of its own makes. */
const foreignForms: readonly string[] = ["float4", "normfloat4", "adaquant"];

const quantizationType = z.string().transform((written, context): UpdateForm => {
  const form = updateForms.find((name) => name === written.toLowerCase());
  if (form !== undefined) return form;
  const message = foreignForms.includes(written)
    ? `'${written}' is made by libraries of Python and is not supported; blockwise8 is the smallest form`
    : `must be one of ${updateForms.join(", ")}`;
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

/** A filter as it is compiled: one of tensors, or the form that results are sent in. */
type CompiledFilter = UpdateFilterSettings | CleanserReference | { readonly kind: "ModelQuantizer"; readonly form: UpdateForm };

/** What only a site's own policy has beside its noise. */
const accountArgs = {
  delta: "the account of epsilon is the site's: it stands in its local/privacy.json",
  epsilon_budget: "the account of epsilon is the site's: it stands in its local/privacy.json",
};

const siteFilterClasses: readonly ComponentClass<CompiledFilter>[] = [
  classOf("ModelQuantizer", { quantization_type: quantizationType.default("float16") }, ({ quantization_type: form }) => {
    return { kind: "ModelQuantizer", form };
  }),
  classOf("ExcludeVars", updateFilterArgs.ExcludeVars, ({ exclude_vars: names }) => {
    return { kind: "ExcludeVars", names: names instanceof RegExp ? names.source : names };
  }),
  classOf("PercentilePrivacy", updateFilterArgs.PercentilePrivacy, (args) => ({ kind: "PercentilePrivacy", ...args })),
  classOf("ClipNorm", updateFilterArgs.ClipNorm, ({ max_norm: maxNorm }) => ({ kind: "ClipNorm", maxNorm })),
  {
    ...classOf("GaussianPrivacy", updateFilterArgs.GaussianPrivacy, ({ clip_norm: clipNorm, noise_multiplier: noiseMultiplier }) => {
      return { kind: "GaussianPrivacy", clipNorm, noiseMultiplier };
    }),
    refusedArgs: accountArgs,
  },
  { ...classOf("SVTPrivacy", updateFilterArgs.SVTPrivacy, svtPrivacyOf, checkSvtPrivacy), refusedArgs: accountArgs },
  statisticsPrivacyFilterClass,
  ...statisticsFilterClasses,
];

/** FLARE's other end of the quantizer: updates are decoded while they are aggregated, so there is nothing left for it to do. */
const idleClasses = [classOf("ModelDequantizer", {}, () => undefined)];

/** `task_result_filters` of a site's app: what is done to its results. */
export const siteResultFiltersSchema = filterLists(siteFilterClasses, (filters, complain) => {
  const quantizers = filters.flatMap(({ kind }, index) => (kind === "ModelQuantizer" ? [index] : []));
  for (const index of quantizers) {
    if (index < filters.length - 1)
      complain(index, "ModelQuantizer stands last: what comes after it would find nothing that it can change");
  }
  const last = filters.at(-1);
  return {
    filters: Object.freeze(filters.flatMap((filter) => (filter.kind === "ModelQuantizer" ? [] : [Object.freeze(filter)]))),
    updateForm: last?.kind === "ModelQuantizer" ? last.form : undefined,
  };
});

/** Filters where a ModelDequantizer may stand, which does nothing, and no other. */
export const idleFiltersSchema = filterLists(idleClasses, () => ({}));

/** Lists of filters, each compiled as a whole with the names of its tasks. */
function filterLists<Args, Settings extends object>(
  known: readonly ComponentClass<Args>[],
  compile: (filters: readonly Args[], complain: (index: number, message: string) => void) => Settings,
) {
  const filterSchema = z
    .strictObject({ id: z.string().min(1).optional(), direction: z.enum(["in", "out", "inout"]).optional(), ...componentShape })
    .transform((written, context) => readComponent("filter", known, written, context) ?? z.NEVER);
  const list = z
    .strictObject({ tasks: z.array(z.string().min(1)).min(1, "needs the name of a task"), filters: z.array(filterSchema) })
    .transform(({ tasks, filters }, context) => {
      const complain = (index: number, message: string): void => context.addIssue({ code: "custom", path: ["filters", index], message });
      const settings = compile(
        filters.map(({ args }) => args),
        complain,
      );
      return Object.freeze({ tasks: Object.freeze([...tasks]), ...settings });
    });
  return z
    .unknown()
    .optional()
    .transform((written, context): readonly (Settings & { readonly tasks: readonly string[] })[] => {
      if (isEmpty(written)) return [];
      const parsed = z.array(list).safeParse(written);
      if (parsed.success) return parsed.data;
      for (const { path, message } of parsed.error.issues) context.addIssue({ code: "custom", path: [...path], message });
      return z.NEVER;
    });
}

/** A class of filters: its name, its arguments as written, and what they come to. */
function classOf<Shape extends z.ZodRawShape, Compiled>(
  name: string,
  shape: Shape,
  compile: (args: z.output<z.ZodObject<Shape>>) => Compiled,
  check: (args: z.output<z.ZodObject<Shape>>, context: z.RefinementCtx) => void = () => undefined,
): ComponentClass<Compiled> {
  const args = z
    .strictObject(shape)
    .superRefine((written, context) => check(written as z.output<z.ZodObject<Shape>>, context))
    .transform((written) => compile(written as z.output<z.ZodObject<Shape>>));
  return { name, args, argNames: Object.keys(shape), refusedArgs: {} };
}
