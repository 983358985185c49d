import { pocDefaults } from "./poc-defaults.js";

/** The project file of a federation on this machine: everybody dials localhost. */
export function pocProjectText(init: { readonly clients: readonly string[]; readonly port: number }): string {
  const { project, server, admin, org } = pocDefaults;
  return `api_version: 3
name: ${project}
description: A federation on one machine, made by flare poc prepare
participants:
  - name: ${server}
    type: server
    org: ${org}
    fed_learn_port: ${init.port}
    default_host: localhost
    host_names: [localhost, 127.0.0.1]
${init.clients.map((name) => `  - name: ${JSON.stringify(name)}\n    type: client\n    org: ${org}`).join("\n")}
  - name: ${admin}
    type: admin
    org: ${org}
    role: project_admin
`;
}
