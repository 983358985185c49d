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
  readonly code?: "project/not-supported";
  readonly line: number;
  readonly message: string;
}

const server = (rest: string): string => `    type: server\n${rest}`;

const wrongProjects: readonly WrongProject[] = [
  { what: "broken YAML", text: projectText({ 9: "    host_names: [localhost" }), line: 10, message: "Flow sequence" },
  { what: "no api_version", text: projectText({ 1: "# nothing" }), line: 2, message: "must be 3" },
  { what: "an api_version from the future", text: projectText({ 1: "api_version: 5" }), line: 1, message: "must be 3" },
  {
    what: "api_version 4",
    text: projectText({ 1: "api_version: 4" }),
    code: "project/not-supported",
    line: 1,
    message: "api_version 4 is not supported yet; write 3 and leave out studies",
  },
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
    what: "a project name with a space",
    text: projectText({ 2: "name: my project" }),
    line: 2,
    message: "may hold letters, digits and _ only",
  },
  { what: "a long project name", text: projectText({ 2: `name: ${"x".repeat(64)}` }), line: 2, message: "may hold 63 characters at most" },
  {
    what: "an unknown type",
    text: projectText({ 11: "    type: cleint" }),
    line: 11,
    message: "type must be one of server, client, admin",
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
  { what: "no admin", text: projectText({ 14: "", 15: "", 16: "", 17: "" }), line: 4, message: "no participant is an admin" },
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
  { what: "an admin without an address", text: projectText({ 14: "  - name: alice" }), line: 14, message: "must be an e-mail address" },
  {
    what: "an org with a dash",
    text: projectText({ 12: "    org: hospital-a" }),
    line: 12,
    message: "may hold letters, digits and _ only",
  },
  { what: "no org", text: projectText({ 12: "" }), line: 10, message: "expected string" },
  {
    what: "an unknown role",
    text: projectText({ 17: "    role: super" }),
    line: 17,
    message: "must be one of project_admin, org_admin, lead, member",
  },
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
    what: "a name that no certificate holds",
    text: projectText({ 5: `  - name: ${"a".repeat(60)}.example.org` }),
    line: 5,
    message: "has 72 characters, and a certificate's name holds 64",
  },
  {
    what: "a connect_to that is not the server's",
    text: projectText({ 13: "    connect_to: server2" }),
    line: 13,
    message:
      "'server2' is not a host of server 'server1.example.org' (server1.example.org, localhost, 127.0.0.1, ::1); add it to the server's host_names",
  },
  {
    what: "a connect_to map to another server",
    text: projectText({ 13: "    connect_to:\n      name: server2\n      host: localhost" }),
    line: 14,
    message: "connect_to names 'server2', but the server is 'server1.example.org'",
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
  { what: "an unknown scheme", text: projectText({ 21: "      scheme: quic" }), line: 21, message: "scheme must be grpc, http or tcp" },
  {
    what: "connections in clear text",
    text: projectText({ 3: "connection_security: clear" }),
    code: "project/not-supported",
    line: 3,
    message: "connection_security clear is not supported yet; only mtls is",
  },
  {
    what: "server-side TLS",
    text: projectText({ 6: server("    connection_security: tls") }),
    code: "project/not-supported",
    line: 7,
    message: "connection_security tls is not supported yet; only mtls is",
  },
  {
    what: "a relay",
    text: projectText({ 13: "  - name: relay1\n    type: relay\n    org: r\n    listening_host: r1" }),
    code: "project/not-supported",
    line: 13,
    message: "relay 'relay1': relays are not supported yet",
  },
  {
    what: "a listening host",
    text: projectText({ 6: server("    listening_host: server1-lh") }),
    code: "project/not-supported",
    line: 7,
    message: "listening_host is not supported yet",
  },
  {
    what: "an edge builder",
    text: projectText({ 22: "  - path: nvflare.lighter.impl.edge.EdgeBuilder", 23: "", 24: "" }),
    code: "project/not-supported",
    line: 22,
    message: "EdgeBuilder is not supported yet",
  },
  {
    what: "studies",
    text: projectText({ 3: "studies: {}" }),
    code: "project/not-supported",
    line: 3,
    message: "studies is not supported yet",
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

  it.each(wrongProjects)("with $what is refused with its line, and nothing is written", async ({ text, code, line, message }) => {
    const projectFile = join(folder.dir, "project.yml");
    const workspace = join(folder.dir, "workspace");
    await writeFile(projectFile, text);
    const error = await errorOf(provision({ projectFile, workspace, caKey: "clear" }));
    expect(error.code).toBe(code ?? "project/invalid");
    expect(error.problems[0]?.message).toContain(message);
    expect(error.problems[0]).toMatchObject({ file: projectFile, line });
    expect(existsSync(workspace)).toBe(false);
  });

  it("gets all of its mistakes reported at once, in the order of their lines", async () => {
    const text = projectText({ 3: "connection_security: tls", 13: "    connect_to: elsewhere", 24: "      root_valid_days: never" });
    expect(() => parseProject(text, "project.yml")).toThrow("project.yml has 3 mistakes.");
    const error = await errorOf(Promise.resolve().then(() => parseProject(text, "project.yml")));
    expect(error.problems.map(({ line }) => line)).toEqual([3, 13, 24]);
  });
});

describe("a right project file", () => {
  it("gets FLARE's defaults where it says nothing", () => {
    const project = parseProject(
      projectText({ 8: "    fed_learn_port:", 9: "", 13: "", 18: "", 19: "", 20: "", 21: "", 22: "", 23: "", 24: "" }),
      "project.yml",
    );
    expect(project).toMatchObject({ name: "example_project", rootValidDays: 360, warnings: [] });
    expect(project.server).toMatchObject({ port: 8002, hosts: ["server1.example.org"] });
    expect(project.participants[1]).toMatchObject({ connectTo: { host: "server1.example.org", port: 8002 }, gpus: 0, memPerGpuGiB: 0 });
  });

  it("sends participants to default_host, and to connect_to where it is given", () => {
    const project = parseProject(
      projectText({
        8: "    default_host: fl.example.org",
        13: "    connect_to: { name: server1.example.org, host: 127.0.0.1, port: 443 }",
      }),
      "project.yml",
    );
    expect(project.server.hosts).toEqual(["fl.example.org", "localhost", "127.0.0.1", "::1"]);
    expect(project.participants[1]).toMatchObject({ connectTo: { host: "127.0.0.1", port: 443 } });
    expect(project.participants[2]).toMatchObject({ connectTo: { host: "fl.example.org", port: 8002 } });
  });

  it("names every line that has no effect in a warning", () => {
    const project = parseProject(
      projectText({
        3: "packager: { path: x }",
        8: "    fed_learn_port: 8002\n    admin_port: 8003\n    use_aio: true",
        13: "    allow_log_streaming: true\n  - { name: overseer1, type: overseer, org: x }",
        21: "      scheme: http\n      docker_image: python:3.12\n      config_folder: config",
        22: "  - path: nvflare.lighter.impl.he.HEBuilder\n  - path: nvflare.lighter.impl.cert.CertBuilder",
      }),
      "project.yml",
    );
    expect(project.warnings.map(({ line, message }) => `${line}: ${message}`)).toEqual([
      "3: packager has no effect: kits are written as folders",
      "9: admin_port 8003 has no effect: admins connect to fed_learn_port 8002 too",
      "10: use_aio has no effect: the server is asynchronous always",
      "15: allow_log_streaming has no effect: logs are not streamed yet",
      "16: overseer 'overseer1' has no effect: FLARE has no overseer any more",
      "24: scheme http has no effect: connections use grpc",
      "25: docker_image has no effect: docker.sh is not written yet",
      "27: HEBuilder has no effect: contexts of homomorphic encryption are not written yet",
    ]);
  });
});
