import { FlareError } from "@flare-ts/contracts";
import type { ProjectChange, StoredProject } from "./project-store.js";
import type { StoredSite } from "./site-store.js";

/** What certificates depend on; locked once the project is frozen. */
const locked = ["name", "server", "connectionSecurity", "certificates"] as const;

/**
 * Makes sure that a change fits the project: nothing that is locked, dates in order, no name twice, studies of sites that there are.
 *
 * @throws FlareError `dashboard/project-frozen`, `dashboard/invalid-request`
 */
export function checkChange(project: StoredProject, change: ProjectChange, sites: readonly Pick<StoredSite, "name">[]): void {
  const next = { ...project, ...change };
  if (project.state === "frozen") {
    const wrong = locked.filter((key) => change[key] !== undefined && JSON.stringify(change[key]) !== JSON.stringify(project[key]));
    if (wrong.length > 0) throw frozen(wrong);
  }
  if (next.startsAtMs !== null && next.endsAtMs !== null && next.endsAtMs < next.startsAtMs)
    throw mistake("endsAtMs", "lies before the start");
  refuseTwice(
    next.siteProperties.map(({ key }) => key),
    "siteProperties",
  );
  refuseTwice(
    next.studies.map(({ name }) => name),
    "studies",
  );
  const known = new Set(sites.map(({ name }) => name));
  const server = next.server?.name.toLowerCase();
  if (server !== undefined && sites.some(({ name }) => name.toLowerCase() === server))
    throw mistake("server.name", "is the name of a site");
  for (const study of change.studies ?? []) {
    const stranger = study.sites.find((name) => !known.has(name));
    if (stranger !== undefined) throw mistake("studies", `'${study.name}' names '${stranger}', which is no site of this project`);
  }
}

function refuseTwice(names: readonly string[], path: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw mistake(path, `'${twice}' is there twice`);
}

function mistake(path: string, message: string): FlareError {
  return new FlareError("dashboard/invalid-request", `The request has mistakes: body.${path}: ${message}.`, {
    problems: [{ path: `body.${path}`, message }],
  });
}

function frozen(keys: readonly string[]): FlareError {
  return new FlareError("dashboard/project-frozen", `The project is frozen; ${keys.join(", ")} cannot be changed any more.`);
}
