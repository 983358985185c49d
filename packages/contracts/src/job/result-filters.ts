import { z } from "zod";
import { type ComponentClass, componentShape, readComponent } from "./component.js";
import { isEmpty } from "./ignored-settings.js";
import { type UpdateForm, updateForms } from "./update-forms.js";

/** A filter of a task's results. */
export interface ResultFilterSettings {
  /** Names of tasks; `*` at the end stands for any rest. */
  readonly tasks: readonly string[];
  readonly updateForm: UpdateForm;
}

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

const quantizerClass: ComponentClass<{ readonly quantization_type: UpdateForm }> = {
  name: "ModelQuantizer",
  args: z.strictObject({ quantization_type: quantizationType.default("float16") }),
  argNames: ["quantization_type"],
  refusedArgs: {},
};

/** FLARE's other end of the same: updates are decoded while they are aggregated, so there is nothing left for it to do. */
const dequantizerClass: ComponentClass<object> = { name: "ModelDequantizer", args: z.strictObject({}), argNames: [], refusedArgs: {} };

/** `task_result_filters` of a site's app: how its results are sent. */
export const siteResultFiltersSchema = filterLists(quantizerClass, ({ quantization_type }, tasks): ResultFilterSettings => {
  return Object.freeze({ tasks, updateForm: quantization_type });
});

/** Filters where a ModelDequantizer may stand, which does nothing, and no other. */
export const idleFiltersSchema = filterLists(dequantizerClass, () => undefined);

/** Lists of filters of one class, each compiled with the names of its tasks. */
function filterLists<Args, Settings>(known: ComponentClass<Args>, compile: (args: Args, tasks: readonly string[]) => Settings) {
  const filterSchema = z
    .strictObject({ id: z.string().min(1).optional(), direction: z.enum(["in", "out", "inout"]).optional(), ...componentShape })
    .transform((written, context) => readComponent("filter", [known], written, context) ?? z.NEVER);
  const lists = z.array(
    z.strictObject({
      tasks: z.array(z.string().min(1)).min(1, "needs the name of a task"),
      filters: z.array(filterSchema).max(1, "several filters of the same results are not supported yet; leave one"),
    }),
  );
  return z
    .unknown()
    .optional()
    .transform((written, context): readonly Settings[] => {
      if (isEmpty(written)) return [];
      const parsed = lists.safeParse(written);
      if (parsed.success)
        return parsed.data.flatMap(({ tasks, filters }) => filters.map(({ args }) => compile(args, Object.freeze([...tasks]))));
      for (const { path, message } of parsed.error.issues) context.addIssue({ code: "custom", path: [...path], message });
      return z.NEVER;
    });
}
