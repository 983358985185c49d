import { FlareError } from "@flare-ts/contracts";
import { stringify } from "yaml";
import type { StoredProject } from "./project-store.js";
import type { StoredSite } from "./site-store.js";

/**
 * The `participant.yaml` of a site, with which its operator runs `flare cert request`.
 *
 * @throws FlareError `dashboard/conflict` for a project that has no name yet
 */
export function participantFile(project: StoredProject, site: StoredSite): string {
  const { gpus, memPerGpuGiB } = site.capacity;
  return fileOf(project, "At the site", {
    name: site.name,
    type: "client",
    org: site.organization,
    capacity: { num_of_gpus: gpus, mem_per_gpu_in_GiB: memPerGpuGiB },
  });
}

/**
 * The `participant.yaml` of a person, with which they run `flare cert request` on their own machine.
 *
 * @throws FlareError `dashboard/conflict` for a project that has no name yet
 */
export function personFile(
  project: StoredProject,
  { participant, organization, role }: { readonly participant: string; readonly organization: string; readonly role: string },
): string {
  return fileOf(project, "On your own machine", { name: participant, type: "admin", org: organization, role });
}

function fileOf({ name }: StoredProject, where: string, participant: Readonly<Record<string, unknown>>): string {
  if (name === "") throw new FlareError("dashboard/conflict", "The project has no name yet, which the request has to say.");
  return `# ${where}: flare cert request -p participant.yaml\n${stringify({ name, participants: [participant] })}`;
}
