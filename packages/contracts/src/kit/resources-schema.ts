import { z } from "zod";
import { byteSizeSchema } from "../documents/byte-size-schema.js";
import { siteNameSchema } from "../ids/names.js";
import { seconds } from "../job/seconds.js";
import { updateForms } from "../job/update-forms.js";

/** What a participant's processes may hold together; what goes beyond it waits. */
const budgetShape = {
  /** Memory of all its processes, at a site without trainers. */
  max_memory: byteSizeSchema.optional(),
  /** What its folder may hold. */
  max_disk: byteSizeSchema.optional(),
};

/** Names of the operator's own: letters, digits, - and _. */
function named<Value extends z.ZodType>(what: string, value: Value) {
  return z.record(z.string(), value).superRefine((entries, context) => {
    for (const name of Object.keys(entries)) {
      if (siteNameSchema.safeParse(name).success) continue;
      context.addIssue({ code: "custom", path: [name], message: `${what} may hold letters, digits, - and _ only` });
    }
  });
}

/** Where a secret is: in a file of the site's, or in a variable of the environment that the site was started with. */
const secretSource = z.union(
  [z.strictObject({ from_file: z.string().min(1) }), z.strictObject({ from_env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) })],
  { error: 'must be { "from_file": "<path>" } or { "from_env": "<name of a variable>" }' },
);

/** Where a secret of a site is. */
export type SecretSource = z.infer<typeof secretSource>;

/** `local/resources.json` of a server. */
export const serverResourcesSchema = z.strictObject({
  format_version: z.literal(2),
  servers: z.array(z.strictObject({ max_num_clients: z.int().min(1) })).length(1),
  ...budgetShape,
  components: z.array(z.strictObject({ id: z.literal("job_scheduler"), args: z.strictObject({ max_jobs: z.int().min(1) }) })).max(1),
  /** Seconds without progress after which a stream, or a task that nothing is heard of, is given up. */
  stall_timeout: seconds.optional(),
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
        args: z.strictObject({
          num_of_gpus: z.int().min(0).default(0),
          mem_per_gpu_in_GiB: z.number().min(0).default(0),
          /** Processors for jobs that ask for some. Without it: those that the site's process may use. */
          num_of_cpus: z.int().min(0).max(65_536).optional(),
          /** Memory for jobs that ask for some. Without it: that of the machine. */
          memory: byteSizeSchema.optional(),
        }),
      }),
    )
    .max(1),
  /** Whether the site lets its log be followed from afar. */
  allow_log_streaming: z.boolean().optional(),
  /** Data set's name to the path of a file or folder on the site's own disk; a trainer is told these paths. */
  datasets: named("a data set's name", z.string("must be a path").startsWith("/", "must be a whole path, such as /srv/data")).default({}),
  /** Seconds without progress after which a stream or a training step is given up. */
  stall_timeout: seconds.optional(),
  /** Secret's name to where it is; a job names it, and only its trainer gets the value. */
  secrets: named("a secret's name", secretSource).optional(),
  /** Folder in which trainers that are started by hand find their job. */
  attach_folder: z.string().min(1).optional(),
});

/** `local/resources.json` of a client. */
export type ClientResourcesDocument = z.infer<typeof clientResourcesSchema>;
