/** A project file to begin with: one server, two sites, an admin of each kind that submits and looks. */
export const sampleProjectText = `# A federation: who takes part, and how they reach each other.
# flare provision -p <this file> -w workspace
api_version: 3
name: example_project
description: A server and two hospitals

participants:
  # The one server. Its name, or default_host, is the DNS name that the sites dial.
  - name: server.example.org
    type: server
    org: research
    # The only port: sites and admins use it, nothing else is opened anywhere.
    fed_learn_port: 8002
    # Further names or addresses under which it is reached; each goes into its certificate.
    host_names: [localhost]

  # Sites. They dial out only.
  - name: hospital-1
    type: client
    org: hospital_1
  - name: hospital-2
    type: client
    org: hospital_2

  # Admins are named by their e-mail address. Roles: project_admin, org_admin, lead, member.
  - name: admin@example.org
    type: admin
    org: research
    role: project_admin
  - name: lead@example.org
    type: admin
    org: research
    role: lead
`;

/** A project file to try hierarchies with: its relays and sites are made, not written. */
export const sampleEdgeProjectText = `# A tree of relays and sites on one machine, for tests.
# flare provision -p <this file> -w workspace
api_version: 3
name: example_project
description: A tree of relays and sites

# 2 relays below the server, 2 below each of them, a site at each relay, and 3 sites below each of the last ones.
edge:
  depth: 2
  width: 2
  clients: 3
  # true leaves out the sites at the relays.
  lcp_only: false
  # A larger tree is refused.
  max_sites: 100

# The server, the relays and the sites are made. Only admins are named here.
participants:
  - name: admin@example.org
    type: admin
    org: research
    role: project_admin
`;
