import type { FrozenProject, StoredProject } from "./project-store.js";
import type { StoredSite } from "./site-store.js";

/** A person as a project file names one. */
export interface ComposedPerson {
  readonly email: string;
  readonly organization: string;
  readonly role: string;
}

export interface ComposeInit {
  readonly project: StoredProject;
  readonly sites: readonly StoredSite[];
  readonly people: readonly ComposedPerson[];
}

/**
 * The project as a project file says it: what `flare provision` takes, and under `dashboard` what only the dashboard keeps. Studies name
 * those sites and people only that are in it.
 */
export function composeDocument({ project, sites, people }: ComposeInit): Record<string, unknown> {
  const { server, certificates, dockerImage } = project;
  const participants = [
    ...(server === null ? [] : [serverEntry(server)]),
    ...sites.map((site) => ({
      name: site.name,
      type: "client",
      org: site.organization,
      capacity: { num_of_gpus: site.capacity.gpus, mem_per_gpu_in_GiB: site.capacity.memPerGpuGiB },
      allow_log_streaming: site.allowLogStreaming,
    })),
    ...people.map(({ email, organization, role }) => ({ name: email, type: "admin", org: organization, role })),
  ];
  const studies = composeStudies(project, sites, people);
  return {
    api_version: studies === undefined ? 3 : 4,
    name: project.name,
    ...(project.description === "" ? {} : { description: project.description }),
    connection_security: project.connectionSecurity,
    allow_log_streaming: project.allowLogStreaming,
    participants,
    certificates: {
      key_type: certificates.keyType,
      leaf_lifetime: certificates.leafLifetime,
      root_valid_days: certificates.rootValidDays,
      renewal: certificates.renewal,
    },
    ...(studies === undefined ? {} : { studies }),
    ...(dockerImage === null
      ? {}
      : { builders: [{ path: "nvflare.lighter.impl.static_file.StaticFileBuilder", args: { docker_image: dockerImage } }] }),
  };
}

/** What `composeDocument` leaves out, so that an export that is imported again loses nothing. */
export function composeExtras({ project, sites }: Pick<ComposeInit, "project" | "sites">): Record<string, unknown> {
  const described = sites.filter(({ description, properties }) => description !== "" || Object.keys(properties).length > 0);
  return {
    title: project.title,
    starts: project.startsAtMs === null ? null : new Date(project.startsAtMs).toISOString(),
    ends: project.endsAtMs === null ? null : new Date(project.endsAtMs).toISOString(),
    site_properties: project.siteProperties.map(({ isRequired, ...rest }) => ({ ...rest, is_required: isRequired })),
    sites: Object.fromEntries(described.map(({ name, description, properties }) => [name, { description, properties }])),
  };
}

/** `project_profile.yaml`, with which `flare cert approve` answers requests in the same workspace. */
export function composeProfile({ name, server, connectionSecurity, certificates }: FrozenProject): Record<string, unknown> {
  return {
    name,
    scheme: "grpc",
    connection_security: connectionSecurity,
    server: { host: server.name, fed_learn_port: server.port },
    certificates: {
      key_type: certificates.keyType,
      leaf_lifetime: certificates.leafLifetime,
      root_valid_days: certificates.rootValidDays,
      // A profile knows no server that renews; approvals of this dashboard say so beside it.
      renewal: certificates.renewal === "none" ? "none" : "ca_holder",
    },
  };
}

function serverEntry({ name, port, hosts, organization }: FrozenProject["server"]): Record<string, unknown> {
  return { name, type: "server", org: organization, fed_learn_port: port, ...(hosts.length === 0 ? {} : { host_names: hosts }) };
}

function composeStudies(
  { studies }: StoredProject,
  sites: readonly StoredSite[],
  people: readonly ComposedPerson[],
): Record<string, unknown> | undefined {
  if (studies.length === 0) return undefined;
  const orgOf = new Map(sites.map(({ name, organization }) => [name, organization]));
  const emails = new Set(people.map(({ email }) => email));
  const entries = studies.map((study) => {
    // A map: an organisation may be called like something that every object has.
    const siteOrgs = new Map<string, string[]>();
    for (const site of study.sites) {
      const org = orgOf.get(site);
      if (org !== undefined) siteOrgs.set(org, [...(siteOrgs.get(org) ?? []), site]);
    }
    return [study.name, { site_orgs: Object.fromEntries(siteOrgs), admins: study.people.filter((email) => emails.has(email)) }] as const;
  });
  return Object.fromEntries(entries);
}
