import { z } from "zod";
import { byteSizeSchema } from "../documents/byte-size-schema.js";
import { siteNameSchema } from "../ids/names.js";
import { updateForms } from "../job/result-filters.js";

/** What a participant's processes may hold together; what goes beyond it waits. */
const budgetShape = {
  /** Memory of all its processes, at a site without trainers. */
  max_memory: byteSizeSchema.optional(),
  /** What its folder may hold. */
  max_disk: byteSizeSchema.optional(),
};

/** `local/resources.json` of a server. */
export const serverResourcesSchema = z.strictObject({
  format_version: z.literal(2),
  servers: z.array(z.strictObject({ max_num_clients: z.int().min(1) })).length(1),
  ...budgetShape,
  components: z.array(z.strictObject({ id: z.literal("job_scheduler"), args: z.strictObject({ max_jobs: z.int().min(1) }) })).max(1),
});

/** `local/resources.json` of a server. */
export type ServerResourcesDocument = z.infer<typeof serverResourcesSchema>;

/** `local/resources.json` of a client. */
export const clientResourcesSchema = z.strictObject({
  format_version: z.literal(2),
  ...budgetShape,
  /** How updates leave the site, whatever a job says; `none`: as trainers make them. Without it the job decides. */
  update_form: z.enum(["none", ...updateForms]).optional(),
  components: z
    .array(
      z.strictObject({
        id: z.literal("resource_manager"),
        args: z.strictObject({ num_of_gpus: z.int().min(0), mem_per_gpu_in_GiB: z.number().min(0) }),
      }),
    )
    .max(1),
  /** Whether the site lets its log be followed from afar. */
  allow_log_streaming: z.boolean().optional(),
  /** Data set's name to the path of a file or folder on the site's own disk; a trainer is told these paths. */
  datasets: z
    .record(z.string(), z.string("must be a path").min(1, "must be a path"))
    .superRefine((datasets, context) => {
      for (const name of Object.keys(datasets)) {
        if (siteNameSchema.safeParse(name).success) continue;
        context.addIssue({ code: "custom", path: [name], message: "a data set's name may hold letters, digits, - and _ only" });
      }
    })
    .default({}),
});

/** `local/resources.json` of a client. */
export type ClientResourcesDocument = z.infer<typeof clientResourcesSchema>;
