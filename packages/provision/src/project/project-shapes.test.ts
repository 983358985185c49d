import { describe, expect, it } from "vitest";
import { parseProject } from "./parse-project.js";

interface Shape {
  readonly what: string;
  readonly text: string;
  /** Lines with a warning, each once. */
  readonly warnings?: readonly number[];
  readonly participants: readonly string[];
}

const builders = (args = ""): string => `builders:
  - path: nvflare.lighter.impl.workspace.WorkspaceBuilder
    args:
      template_file: [master_template.yml, aws_template.yml, azure_template.yml]
  - path: nvflare.lighter.impl.static_file.StaticFileBuilder
    args:
      config_folder: config
${args}  - path: nvflare.lighter.impl.cert.CertBuilder
    # args:
    #   root_valid_days: 3650
  - path: nvflare.lighter.impl.signature.SignatureBuilder
`;
const admin = "  - { name: admin@example.org, type: admin, org: x, role: project_admin }\n";
const head = "api_version: 3\nname: p\ndescription: d\n";
const people = `participants:
  - { name: server1, type: server, org: x, fed_learn_port: 8002 }
  - { name: site-1, type: client, org: x }
${admin}`;
const three = ["server1", "site-1", "admin@example.org"];

/** Project files as they are met, written anew: one for each thing that distinguishes those of FLARE's repository and of others. */
const shapes: readonly Shape[] = [
  { what: "the sample of today", text: `${head}${people}${builders()}`, participants: three },
  {
    what: "the sample of the years with an overseer",
    text: `${head}participants:
  - { name: overseer, type: overseer, org: x, protocol: https, api_root: /api/v1, port: 8443 }
  - { name: server1, type: server, org: x, fed_learn_port: 8002, admin_port: 8003 }
  - { name: site-1, type: client, org: x }
${admin}${builders(`      overseer_agent:
        path: nvflare.ha.dummy_overseer_agent.DummyOverseerAgent
        overseer_exists: false
        args: { sp_end_point: "server1:8002:8003" }
`)}`,
    warnings: [5, 6, 16],
    participants: three,
  },
  {
    what: "components of a site and byoc, in the first versions",
    text: `${head}participants:
  - { name: server1, type: server, org: x, enable_byoc: true, components: }
  - name: site-1
    type: client
    org: x
    enable_byoc: false
    components:
      resource_manager: { path: m.GPUResourceManager, args: { num_of_gpus: 0 } }
${admin}${builders()}`,
    warnings: [5, 9, 10],
    participants: three,
  },
  {
    what: "an old list of builders",
    text: `${head}${people}builders:
  - path: nvflare.lighter.impl.workspace.WorkspaceBuilder
    args: { template_file: master_template.yml }
  - path: nvflare.lighter.impl.template.TemplateBuilder
  - path: nvflare.lighter.impl.static_file.StaticFileBuilder
    args:
      config_folder: config
      snapshot_persistor: { path: x.StorageStatePersistor, args: {} }
  - path: nvflare.lighter.impl.cert.CertBuilder
  - path: nvflare.lighter.impl.helm_chart.HelmChartBuilder
    args: { docker_image: localhost/nvflare:0.0.1 }
  - path: nvflare.lighter.impl.workspace.DistributionBuilder
    args: { zip_password: true }
  - path: nvflare.lighter.impl.signature.SignatureBuilder
`,
    warnings: [15, 17, 19],
    participants: three,
  },
  {
    what: "homomorphic encryption",
    text: `${head}${people}builders:
  - path: nvflare.lighter.impl.he.HEBuilder
    args: { poly_modulus_degree: 8192, coeff_mod_bit_sizes: [60, 40, 40], scale_bits: 40, scheme: CKKS }
`,
    warnings: [9],
    participants: three,
  },
  {
    what: "a compose file and a scheme",
    text: `${head}${people}builders:
  - path: nvflare.lighter.impl.static_file.StaticFileBuilder
    args: { scheme: http, docker_image: "registry.example.org:5000/flare:2.7" }
  - path: nvflare.lighter.impl.docker.DockerBuilder
    args: { base_image: python:3.10, requirements_file: docker_compose_requirements.txt }
`,
    warnings: [10],
    participants: three,
  },
  {
    what: "names of hosts, and who connects to which",
    text: `api_version: 3
name: net-1
participants:
  - name: fl.example.org
    type: server
    org: X
    host_names: [fl.example.org, fl-server-net-1]
    default_host: fl.example.org
  - name: Trust_1
    type: client
    org: X
    connect_to: { host: fl.example.org }
    enable_byoc: true
    resource: { num_of_gpus: 1, mem_per_gpu_in_GiB: 16 }
  - { name: a@example.org, type: admin, org: X, role: project_admin, connect_to: fl-server-net-1 }
`,
    warnings: [13, 14],
    participants: ["fl.example.org", "Trust_1", "a@example.org"],
  },
  {
    what: "a front end that ends TLS",
    text: `${head}connection_security: tls
participants:
  - { name: server1, type: server, org: x, connection_security: clear, host_names: [localhost], default_host: localhost }
  - { name: site-1, type: client, org: x, connect_to: { host: front.example.org, port: 443 } }
${admin}${builders()}`,
    warnings: [7],
    participants: three,
  },
  {
    what: "relays in a hierarchy",
    text: `${head}participants:
  - { name: server1, type: server, org: x, fed_learn_port: 8002, host_names: [localhost] }
  - name: relay-1
    type: relay
    org: x
    connect_to: { name: server1, host: localhost, port: 8002, connection_security: mtls }
    listening_host: { scheme: tcp, host_names: [10.0.0.1], default_host: localhost, port: 18102, connection_security: clear }
  - { name: site-1, type: client, org: x, connect_to: { name: relay-1 }, capacity: { num_of_gpus: 2, mem_per_gpu_in_GiB: 8 } }
${admin}${builders()}`,
    warnings: [10],
    participants: ["server1", "relay-1", "site-1", "admin@example.org"],
  },
  {
    what: "a site that a trainer connects to",
    text: `${head}participants:
  - { name: server1, type: server, org: x }
  - { name: site-1, type: client, org: x, listening_host: site-1-lh }
${admin}`,
    warnings: [6],
    participants: three,
  },
  {
    what: "studies",
    text: `api_version: 4
name: p
participants:
  - { name: server1, type: server, org: x }
  - { name: site-1, type: client, org: x }
${admin}studies:
  cancer_research: { site_orgs: { x: [site-1] }, admins: [admin@example.org] }
`,
    participants: three,
  },
  {
    what: "a tree that is made",
    text: `${head}edge: { analyze: false, lcp_only: true, root_dir: ., depth: 1, width: 2, clients: 2, max_sites: 100, rp: 4321 }
participants:
${admin}builders:
  - path: nvflare.lighter.impl.edge.EdgeBuilder
`,
    warnings: [4, 8],
    participants: ["server", "R1", "C11", "C12", "R2", "C21", "C22", "admin@example.org"],
  },
  {
    what: "a name with a dash and of more than 63 characters",
    text: `api_version: 3\nname: ${"of-several-hospitals_".repeat(4)}x\n${people}`,
    warnings: [2],
    participants: three,
  },
  {
    what: "what templates leave: ports in quotes, and keys with nothing in them",
    text: `${head}custom_ca_cert: ""
participants:
  - { name: server1, type: server, org: x, fed_learn_port: "8002", admin_port: "8002", custom_ca_cert: "", listening_host: "" }
  - { name: site-1, type: client, org: x, connect_to: "", listening_host: "", custom_ca_cert: "" }
  - { name: admin@example.org, type: admin, org: x, role: lead, connect_to: "" }
`,
    participants: three,
  },
  {
    what: "nothing but the server",
    text: "api_version: 3\nname: p\nparticipants:\n  - { name: server1, type: server, org: x }\nbuilders: []\npackager:\n",
    warnings: [3],
    participants: ["server1"],
  },
  {
    what: "JSON",
    text: JSON.stringify({
      api_version: 3,
      name: "p",
      participants: [
        { name: "server1", type: "server", org: "x" },
        { name: "admin@example.org", type: "admin", org: "x", role: "lead" },
      ],
    }),
    participants: ["server1", "admin@example.org"],
  },
];

describe("a project file as it is met", () => {
  it.each(shapes)(
    "with $what makes its kits, and everything without effect has a warning at its line",
    ({ text, warnings, participants }) => {
      const project = parseProject(text, "project.yml");
      expect(project.participants.map(({ name }) => name)).toEqual(participants);
      expect([...new Set(project.warnings.map(({ line }) => line))]).toEqual(warnings ?? []);
    },
  );
});
