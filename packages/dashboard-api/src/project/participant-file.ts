import { FlareError } from "@flare-ts/contracts";
import { stringify } from "yaml";
import type { StoredProject } from "./project-store.js";
import type { StoredSite } from "./site-store.js";

/**
 * The `participant.yaml` of a site, with which its operator runs `flare cert request`.
 *
 * @throws FlareError `dashboard/conflict` for a project that has no name yet
 */
export function participantFile({ name }: StoredProject, site: StoredSite): string {
  if (name === "") throw new FlareError("dashboard/conflict", "The project has no name yet, which the request has to say.");
  const { gpus, memPerGpuGiB } = site.capacity;
  const participant = {
    name: site.name,
    type: "client",
    org: site.organization,
    capacity: { num_of_gpus: gpus, mem_per_gpu_in_GiB: memPerGpuGiB },
  };
  return `# At the site: flare cert request -p participant.yaml\n${stringify({ name, participants: [participant] })}`;
}
