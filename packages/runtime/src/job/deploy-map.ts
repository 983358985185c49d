import { type JobMeta, serverTarget } from "@flare-ts/contracts";

/** Which app runs where. */
export interface ResolvedDeployMap {
  /** The server's app. */
  readonly serverApp: string;
  /** Sites that take part, sorted, with the app of each. */
  readonly apps: Readonly<Record<string, string>>;
}

/** Puts the sites that are connected into a job's deploy map; sites that the map does not name are left out. */
export function resolveDeployMap(meta: JobMeta, connectedSites: Iterable<string>): ResolvedDeployMap {
  const maps = Object.entries(meta.deployMap);
  const serverApp = maps.find(([, targets]) => targets === "@ALL" || targets.includes(serverTarget))?.[0];
  if (serverApp === undefined) throw new TypeError("the schema of meta.json lets no job through whose map leaves the server out");
  const apps: [string, string][] = [];
  for (const site of [...new Set(connectedSites)].sort()) {
    const app = maps.find(([, targets]) => targets === "@ALL" || targets.includes(site))?.[0];
    if (app !== undefined) apps.push([site, app]);
  }
  return { serverApp, apps: Object.fromEntries(apps) };
}

/** Whether a job can start with the sites that are connected. */
export type JobSites =
  | ({ readonly canStart: true } & ResolvedDeployMap)
  | {
      readonly canStart: false;
      /** Mandatory sites that are not connected. */
      readonly missing: readonly string[];
      /** Sites of the job that are connected. */
      readonly connected: readonly string[];
      /** Sites that the job needs. */
      readonly needed: number;
    };

/** Chooses the sites of a job: all that are connected and in its deploy map, once `min_clients` (at least one) and the mandatory ones are among them. */
export function selectJobSites(meta: JobMeta, connectedSites: Iterable<string>): JobSites {
  const resolved = resolveDeployMap(meta, connectedSites);
  const connected = Object.keys(resolved.apps);
  const missing = meta.mandatoryClients.filter((site) => !Object.hasOwn(resolved.apps, site));
  const needed = meta.minClients ?? 1;
  if (missing.length > 0 || connected.length < needed) return { canStart: false, missing, connected, needed };
  return { canStart: true, ...resolved };
}
