import { z } from "zod";
import { byteSizeOf } from "../documents/byte-size-schema.js";

/** What a job asks a site for, to have to itself as long as it runs there. */
export interface ResourceRequest {
  readonly gpus: number;
  /** What each of them must have, at least. */
  readonly memPerGpuGiB: number;
  readonly cpus: number;
  /** Memory of the machine. */
  readonly memoryBytes: number;
}

/** What a job asks for at each site, by the name of the site; `@default` has what a site's own entry leaves open. */
export type ResourceSpec = Readonly<Record<string, Partial<ResourceRequest>>>;

/** Name of what holds for sites whose own entry does not say it, or that have none. */
export const otherSites = "@default";

const memoryForm = 'must be a whole number with Mi, Gi or Ti, such as "8Gi"';

/** Kubernetes' form as FLARE takes it, so that a job means the same in both. */
const memory = z.string(memoryForm).transform((written, context) => {
  const bytes = /^\d+[MGT]i$/.test(written) ? byteSizeOf(written) : undefined;
  if (bytes !== undefined) return bytes;
  context.addIssue({ code: "custom", message: memoryForm });
  return z.NEVER;
});

/** One site's entry in `resource_spec`. */
const resourceRequest = z
  .strictObject(
    {
      num_of_gpus: z.int().min(0).max(1024).optional(),
      mem_per_gpu_in_GiB: z.number().min(0).max(1e6).optional(),
      num_of_cpus: z.int().min(1).max(65_536).optional(),
      memory: memory.optional(),
    },
    { error: "may have num_of_gpus, mem_per_gpu_in_GiB, num_of_cpus and memory" },
  )
  .transform((written): Partial<ResourceRequest> => {
    const { num_of_gpus: gpus, mem_per_gpu_in_GiB: memPerGpuGiB, num_of_cpus: cpus, memory: memoryBytes } = written;
    const asked = Object.entries({ gpus, memPerGpuGiB, cpus, memoryBytes }).filter(([, value]) => value !== undefined);
    return Object.freeze(Object.fromEntries(asked));
  });

/** `resource_spec` of a job's `meta.json`. */
export const resourceSpecSchema = z.record(z.string(), resourceRequest).default({});

/** What a job asks a site for: nothing of what neither the site's own entry nor `@default` names. */
export function resourcesFor(site: string, { resourceSpec }: { readonly resourceSpec: ResourceSpec }): ResourceRequest {
  const own = Object.hasOwn(resourceSpec, site) ? resourceSpec[site] : undefined;
  return { gpus: 0, memPerGpuGiB: 0, cpus: 0, memoryBytes: 0, ...resourceSpec[otherSites], ...own };
}
