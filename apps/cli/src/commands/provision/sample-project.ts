/** A project file to begin with: one server, two sites, an admin of each kind that submits and looks. */
export const sampleProjectText = `# A federation: who takes part, and how they reach each other.
# flare provision -p project.yml -w workspace
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
