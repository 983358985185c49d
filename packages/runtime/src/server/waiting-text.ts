import type { JobSites } from "../job/deploy-map.js";

export interface SiteObstacles {
  /** Whether a site belongs no more to the study of the job. */
  readonly isRemoved: (site: string) => boolean;
  readonly isDisabled: (site: string) => boolean;
}

/** Why a job does not start, for people. */
export function waitingText(
  { missing, connected, needed }: Omit<Extract<JobSites, { canStart: false }>, "canStart">,
  study: string,
  { isRemoved, isDisabled }: SiteObstacles,
): string {
  const removed = missing.filter(isRemoved);
  if (removed.length > 0) return `cannot start: ${removed.join(", ")} was removed from study '${study}'`;
  const disabled = missing.filter(isDisabled);
  if (disabled.length > 0) return `waits until ${disabled.join(", ")}, disabled by an admin, can connect again`;
  if (missing.length > 0) return `waits for ${missing.join(", ")} to connect`;
  return `waits for sites: ${connected.length} of ${needed} are connected`;
}
