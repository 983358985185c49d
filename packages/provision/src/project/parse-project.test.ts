import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { projectText } from "../../test/project-text.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { provision } from "../provision.js";
import { parseProject } from "./parse-project.js";

interface WrongProject {
  readonly what: string;
  readonly text: string;
  readonly line: number;
  readonly message: string;
}

const server = (rest: string): string => `    type: server\n${rest}`;

const withRelays = (first: string, second: string): string =>
  projectText({
    13: ["relay1", "relay2"]
      .flatMap((name, index) => [
        `  - name: ${name}`,
        "    type: relay",
        "    org: r",
        "    listening_host: localhost",
        `    connect_to: { name: ${index === 0 ? first : second} }`,
      ])
      .join("\n"),
  });

const withStudy = (study: string): string => projectText({ 1: "api_version: 4", 3: `studies:\n  ${study}` });

const wrongProjects: readonly WrongProject[] = [
  { what: "broken YAML", text: projectText({ 9: "    host_names: [localhost" }), line: 10, message: "Flow sequence" },
  { what: "no api_version", text: projectText({ 1: "# nothing" }), line: 2, message: "must be 3 or 4" },
  { what: "an api_version from the future", text: projectText({ 1: "api_version: 5" }), line: 1, message: "must be 3 or 4" },
  {
    what: "an unknown key",
    text: projectText({ 3: "descripton: two" }),
    line: 3,
    message: "unknown key 'descripton'; did you mean 'description'?",
  },
  {
    what: "an unknown key of a participant",
    text: projectText({ 8: "    fed_lern_port: 8002" }),
    line: 8,
    message: "unknown key 'fed_lern_port'; did you mean 'fed_learn_port'?",
  },
  { what: "a key twice", text: projectText({ 3: "name: other" }), line: 3, message: "Map keys must be unique" },
  {
    what: "a project name that leaves the workspace",
    text: projectText({ 2: "name: ../project" }),
    line: 2,
    message: "may hold letters, digits, _ - . and spaces only",
  },
  {
    what: "an unknown type",
    text: projectText({ 11: "    type: cleint" }),
    line: 11,
    message: "unknown type 'cleint'; did you mean 'client'?",
  },
  { what: "no participants", text: "api_version: 3\nname: empty\nparticipants: []\n", line: 3, message: "must name the participants" },
  {
    what: "no server",
    text: projectText({ 5: "  - name: hospital-b", 6: "    type: client", 8: "", 9: "" }),
    line: 4,
    message: "no participant is a server; a project has exactly one",
  },
  {
    what: "two servers",
    text: projectText({ 10: "  - name: server2", 11: "    type: server", 13: "" }),
    line: 10,
    message: "'server2' is a second server; 'server1.example.org' is the first",
  },
  {
    what: "two participants of one name",
    text: projectText({ 13: "  - { name: hospital-a, type: client, org: b }" }),
    line: 13,
    message: "two participants are called 'hospital-a'",
  },
  {
    what: "two names that differ in case",
    text: projectText({ 13: "  - { name: Hospital-A, type: client, org: b }" }),
    line: 13,
    message: "'Hospital-A' and 'hospital-a' differ in capital letters only",
  },
  {
    what: "a reserved name",
    text: projectText({ 10: "  - name: root_cert" }),
    line: 10,
    message: "'root_cert' cannot be the name of a participant",
  },
  {
    what: "a site's name with a dot",
    text: projectText({ 10: "  - name: hospital.a" }),
    line: 10,
    message: "may hold letters, digits, - and _ only",
  },
  { what: "a site's name that leaves the folder", text: projectText({ 10: "  - name: ../../a" }), line: 10, message: "may hold letters" },
  {
    what: "an admin whose name no folder can have",
    text: projectText({ 14: `  - name: ${"a".repeat(240)}@example.org` }),
    line: 14,
    message: "the name has 252 characters, and may have 251",
  },
  { what: "an admin without an address", text: projectText({ 14: "  - name: alice" }), line: 14, message: "must be an e-mail address" },
  {
    what: "an org with a dash",
    text: projectText({ 12: "    org: hospital-a" }),
    line: 12,
    message: "may hold letters, digits and _ only",
  },
  { what: "no org", text: projectText({ 12: "" }), line: 10, message: "org is missing" },
  {
    what: "a port that is none",
    text: projectText({ 8: "    fed_learn_port: 80020" }),
    line: 8,
    message: "must be a port from 1 to 65535",
  },
  { what: "a port that is text", text: projectText({ 8: "    fed_learn_port: default" }), line: 8, message: "must be a whole number" },
  {
    what: "a host that is none",
    text: projectText({ 9: "    host_names: under_score" }),
    line: 9,
    message: "must be a DNS name or an IP address",
  },
  {
    what: "an IPv6 address that is none",
    text: projectText({ 9: '    host_names: ["1::2::3"]' }),
    line: 9,
    message: "'1::2::3' is neither a DNS name",
  },
  {
    what: "a connect_to map to another server",
    text: projectText({ 13: "    connect_to:\n      name: server2\n      host: localhost" }),
    line: 14,
    message: "connect_to names 'server2', which is neither the server 'server1.example.org' nor a relay",
  },
  {
    what: "a connect_to map with an unknown key",
    text: projectText({ 13: "    connect_to:\n      hots: localhost" }),
    line: 14,
    message: "unknown key 'hots'; did you mean 'host'?",
  },
  {
    what: "an unknown builder",
    text: projectText({ 22: "  - path: nvflare.lighter.impl.cert.CertBulder" }),
    line: 22,
    message: "unknown builder 'nvflare.lighter.impl.cert.CertBulder'; did you mean 'nvflare.lighter.impl.cert.CertBuilder'?",
  },
  {
    what: "an unknown argument",
    text: projectText({ 24: "      root_valid_day: 360" }),
    line: 24,
    message: "CertBuilder has no argument 'root_valid_day'; did you mean 'root_valid_days'?",
  },
  {
    what: "no days at all",
    text: projectText({ 24: "      root_valid_days: 0" }),
    line: 24,
    message: "must be a whole number from 1 to 36525",
  },
  {
    what: "an api_version as text",
    text: projectText({ 1: 'api_version: "3"' }),
    line: 1,
    message: "must be 3 or 4",
  },
  {
    what: "a connection security that is none",
    text: projectText({ 3: "connection_security: ssl" }),
    line: 3,
    message: "must be mtls, tls or clear",
  },
  {
    what: "a connection security of one participant that is none",
    text: projectText({ 6: server("    connection_security: none") }),
    line: 7,
    message: "must be mtls, tls or clear",
  },
  {
    what: "an authority's certificate that is not there",
    text: projectText({ 3: "custom_ca_cert: no-such.pem" }),
    line: 3,
    message: "no-such.pem of certificates, or it cannot be read",
  },
  {
    what: "an authority's certificate that is none",
    text: projectText({ 6: server("    custom_ca_cert: project.yml") }),
    line: 7,
    message: "project.yml holds no certificate in PEM",
  },
  {
    what: "a relay without a listening host",
    text: projectText({ 13: "  - { name: relay1, type: relay, org: r }" }),
    line: 13,
    message: "must be the name of a host, or a map",
  },
  { what: "relays in a circle", text: withRelays("relay2", "relay1"), line: 17, message: "that is a circle" },
  { what: "a relay behind itself", text: withRelays("relay1", "relay1"), line: 17, message: "relay1 is behind relay1: that is a circle" },
  {
    what: "a relay behind nobody",
    text: withRelays("server1.example.org", "relay3"),
    line: 22,
    message: "connect_to names 'relay3', which is neither the server 'server1.example.org' nor a relay",
  },
  {
    what: "a client behind a client",
    text: projectText({ 13: "    connect_to: { name: hospital-b }\n  - { name: hospital-b, type: client, org: b }" }),
    line: 13,
    message: "which is neither the server 'server1.example.org' nor a relay",
  },
  {
    what: "a parent that is no client",
    text: projectText({ 13: "    parent: hospital-c" }),
    line: 13,
    message: "'hospital-c', the parent of 'hospital-a', is no client of this project",
  },
  {
    what: "parents in a circle",
    text: projectText({ 13: "    parent: hospital-b\n  - { name: hospital-b, type: client, org: b, parent: hospital-a }" }),
    line: 13,
    message: "hospital-a is behind hospital-b is behind hospital-a: that is a circle",
  },
  {
    what: "a port beyond the last",
    text: projectText({ 13: "    connect_to: { host: localhost, port: 70000 }" }),
    line: 13,
    message: "must be a port from 1 to 65535, or 0 for any that is free",
  },
  {
    what: "a capacity that is negative",
    text: projectText({ 13: "    capacity: { num_of_gpus: -1 }" }),
    line: 13,
    message: "must not be negative",
  },
  {
    what: "an identity with a line break",
    text: projectText({ 13: '    auth_identity: "a\\nb"' }),
    line: 13,
    message: "may hold letters, digits and . _ % + @ - only",
  },
  {
    what: "log streaming that is neither on nor off",
    text: projectText({ 13: "    allow_log_streaming: perhaps" }),
    line: 13,
    message: "must be true or false",
  },
  { what: "an admin without a role", text: projectText({ 17: "" }), line: 14, message: "role is missing" },
  {
    what: "an admin with a role of a process",
    text: projectText({ 17: "    role: server" }),
    line: 17,
    message: "'server' is the role of a process, and cannot be that of an admin",
  },
  {
    what: "a role that is no name",
    text: projectText({ 17: "    role: project-admin" }),
    line: 17,
    message: "may hold letters, digits and _",
  },
  {
    what: "a name of a file beside the kits",
    text: projectText({ 10: "  - name: nvflare_compose" }),
    line: 10,
    message: "cannot be the name",
  },
  { what: "a participant that is a text", text: projectText({ 13: "  - hospital-b" }), line: 13, message: "must be a participant: a map" },
  { what: "studies in api_version 3", text: projectText({ 3: "studies: {}" }), line: 3, message: "studies need api_version: 4" },
  { what: "the reserved study", text: withStudy("default: {}"), line: 4, message: "'default' is the study of all sites and admins" },
  { what: "a study with capitals", text: withStudy("Cancer: {}"), line: 4, message: "'Cancer' cannot be the name of a study" },
  {
    what: "a study of an unknown org",
    text: withStudy("cancer: { site_orgs: { nobody: [] } }"),
    line: 4,
    message: "study 'cancer' names 'nobody', which is nobody's org",
  },
  {
    what: "a study of an unknown site",
    text: withStudy("cancer: { site_orgs: { hospital_a: [hospital-x] } }"),
    line: 4,
    message: "study 'cancer' names 'hospital-x', which is no client of this project",
  },
  {
    what: "a study with a site of another org",
    text: withStudy("cancer: { site_orgs: { consortium: [hospital-a] } }"),
    line: 4,
    message: "study 'cancer' lists 'hospital-a' under 'consortium', but its org is 'hospital_a'",
  },
  {
    what: "a study with a site twice",
    text: withStudy("cancer: { site_orgs: { hospital_a: [hospital-a, hospital-a] } }"),
    line: 4,
    message: "study 'cancer' names 'hospital-a' twice",
  },
  {
    what: "a study of an unknown admin",
    text: withStudy("cancer: { admins: [bob@example.org] }"),
    line: 4,
    message: "study 'cancer' names 'bob@example.org', who is no admin of this project",
  },
  {
    what: "a study in the form of an old guide",
    text: withStudy("cancer: { admins: { admin@example.org: lead } }"),
    line: 4,
    message: "must be a list of admins",
  },
  {
    what: "an unknown key type",
    text: projectText({ 3: "certificates: { key_type: dsa }" }),
    line: 3,
    message: "must be rsa-2048, rsa-3072 or p256",
  },
  {
    what: "a lifetime that is too short",
    text: projectText({ 3: "certificates:\n  leaf_lifetime: 4m" }),
    line: 4,
    message: "must be a duration from 5m to 10y, such as 36h or 90d",
  },
  {
    what: "a lifetime that is a number",
    text: projectText({ 3: "certificates: { leaf_lifetime: 90 }" }),
    line: 3,
    message: "must be a duration",
  },
  {
    what: "an unknown way of renewal",
    text: projectText({ 3: "certificates: { renewal: never }" }),
    line: 3,
    message: "must be server, ca_holder or none",
  },
  {
    what: "renewal of what is nothing",
    text: projectText({ 3: "certificates:\n  server_may_renew: [clients]" }),
    line: 4,
    message: "must be one of client, server, relay, admin",
  },
  {
    what: "an unknown key of the certificates",
    text: projectText({ 3: "certificates:\n  leaf_lifetme: 5m" }),
    line: 4,
    message: "unknown key 'leaf_lifetme'; did you mean 'leaf_lifetime'?",
  },
  {
    what: "two lifetimes of the root",
    text: projectText({ 3: "certificates:\n  root_valid_days: 100" }),
    line: 4,
    message: "root_valid_days is 100 here and 360 at CertBuilder",
  },
  {
    what: "a builder in Python",
    text: projectText({ 22: "  - path: my_builders.MyBuilder", 23: "", 24: "" }),
    line: 22,
    message: "unknown builder 'my_builders.MyBuilder'; a builder of your own is a JavaScript module here, such as ./my-builder.mjs",
  },
  {
    what: "a packager in Python",
    text: projectText({ 3: "packager: { path: my_packagers.Zip }" }),
    line: 3,
    message: "unknown packager 'my_packagers.Zip'",
  },
  {
    what: "a builder that is no JavaScript",
    text: projectText({ 22: "  - path: ./my-builder.py", 23: "", 24: "" }),
    line: 22,
    message: "'./my-builder.py' is not a JavaScript module",
  },
  {
    what: "a builder module that is not there",
    text: projectText({ 22: "  - path: ./no-such-builder.mjs", 23: "", 24: "" }),
    line: 22,
    message: "no-such-builder.mjs; --custom-folder says where modules are looked for",
  },
  {
    what: "a builder that FLARE has removed for good",
    text: projectText({ 22: "  - path: nvflare.lighter.impl.auth_policy.AuthPolicyBuilder", 23: "", 24: "" }),
    line: 22,
    message: "AuthPolicyBuilder: FLARE has removed it",
  },
  {
    what: "an image with a command in its name",
    text: projectText({ 21: "      docker_image: $(id)" }),
    line: 21,
    message: "docker_image must be the name of an image",
  },
  {
    what: "a tree that is too deep",
    text: projectText({ 3: "edge: { depth: 6, width: 2, clients: 2 }" }),
    line: 3,
    message: "from 1 to 5",
  },
  {
    what: "a tree that is too large",
    text: projectText({ 3: "edge: { depth: 3, width: 4, clients: 4 }" }),
    line: 3,
    message: "the tree has 425 sites, and max_sites is 100",
  },
  {
    what: "a tree that is only counted",
    text: projectText({ 3: "edge: { analyze: true, depth: 1, width: 2, clients: 2 }" }),
    line: 3,
    message: "analyze only counts: 9 sites",
  },
  {
    what: "an include that is no path",
    text: projectText({ 3: "include: { a: b }" }),
    line: 3,
    message: "include must be the path of a file",
  },
  { what: "an include that is not there", text: projectText({ 3: "include: more.yml" }), line: 3, message: "more.yml to include" },
  {
    what: "an include from elsewhere",
    text: projectText({ 3: "include: ../more.yml" }),
    line: 3,
    message: "'../more.yml' does not lie below the folder of the project file",
  },
  { what: "an absolute include", text: projectText({ 3: "include: /etc/passwd" }), line: 3, message: "'/etc/passwd' does not lie below" },
  { what: "an include of itself", text: projectText({ 3: "include: project.yml" }), line: 3, message: "that is a circle" },
  { what: "an alias of nothing", text: projectText({ 3: "description: *text" }), line: 1, message: "Unresolved alias" },
  {
    what: "lists in lists without end",
    text: projectText({ 3: `description: ${"[".repeat(5000)}` }),
    line: 3,
    message: "is nested too deeply",
  },
];

describe("a wrong project file", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    await folder.remove();
  });

  it.each(wrongProjects)("with $what is refused with its line, and nothing is written", async ({ text, line, message }) => {
    const projectFile = join(folder.dir, "project.yml");
    const workspace = join(folder.dir, "workspace");
    await writeFile(projectFile, text);
    const error = await errorOf(provision({ projectFile, workspace, caKey: "clear" }));
    expect(error.code).toBe("project/invalid");
    expect(error.problems[0]?.message).toContain(message);
    expect(error.problems[0]).toMatchObject({ file: projectFile, line });
    expect(existsSync(workspace)).toBe(false);
  });

  it("gets all of its mistakes reported at once, in the order of their lines", async () => {
    const text = projectText({ 3: "descripton: two", 13: "    connect_to: { name: elsewhere }", 24: "      root_valid_days: never" });
    expect(() => parseProject(text, "project.yml")).toThrow("project.yml has 3 mistakes.");
    const error = await errorOf(Promise.resolve().then(() => parseProject(text, "project.yml")));
    expect(error.problems.map(({ line }) => line)).toEqual([3, 13, 24]);
  });
});
