/** A site of a federation on this machine. */
export interface LocalSite {
  readonly name: string;
  /** What it offers jobs. @default nothing */
  readonly capacity?: { readonly gpus: number; readonly memPerGpuGiB: number };
}

export interface LocalProjectInit {
  readonly project: string;
  readonly description: string;
  readonly server: string;
  readonly admin: string;
  /** Of everybody. */
  readonly org: string;
  readonly clients: readonly LocalSite[];
  /** A study to which everybody belongs. @default none */
  readonly study?: string | undefined;
  /** Whether log lines of jobs may be read from the sites. @default false */
  readonly allowsLogStreaming?: boolean;
  readonly port: number;
}

/** The project file of a federation on this machine: everybody dials localhost. */
export function localProjectText(init: LocalProjectInit): string {
  const { project, description, server, admin, org, clients, study, allowsLogStreaming = false, port } = init;
  const names = clients.map(({ name }) => name);
  const studies = study === undefined ? "" : `studies: ${JSON.stringify({ [study]: { site_orgs: { [org]: names }, admins: [admin] } })}\n`;
  return `api_version: ${study === undefined ? 3 : 4}
name: ${project}
description: ${description}
${allowsLogStreaming ? "allow_log_streaming: true\n" : ""}${studies}participants:
  - name: ${server}
    type: server
    org: ${org}
    fed_learn_port: ${port}
    default_host: localhost
    host_names: [localhost, 127.0.0.1]
${clients.map((site) => clientText(site, org)).join("\n")}
  - name: ${admin}
    type: admin
    org: ${org}
    role: project_admin
`;
}

function clientText({ name, capacity }: LocalSite, org: string): string {
  const lines = [`  - name: ${JSON.stringify(name)}`, "    type: client", `    org: ${org}`];
  if (capacity !== undefined) lines.push(`    capacity: { num_of_gpus: ${capacity.gpus}, mem_per_gpu_in_GiB: ${capacity.memPerGpuGiB} }`);
  return lines.join("\n");
}
