import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { projectText } from "../../test/project-text.js";
import { provisionExample } from "../../test/provision-example.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { parseProject } from "./parse-project.js";
import type { Participant } from "./project.js";

const dayMs = 24 * 60 * 60_000;
const noBuilders = { 18: "", 19: "", 20: "", 21: "", 22: "", 23: "", 24: "" };
const parse = (lines: Parameters<typeof projectText>[0] = {}) => parseProject(projectText(lines), "project.yml");
const named = (name: string, lines: Parameters<typeof projectText>[0]): Participant | undefined =>
  parse(lines).participants.find((participant) => participant.name === name);

describe("a right project file", () => {
  it("gets FLARE's defaults where it says nothing", () => {
    const project = parse({ 8: "    fed_learn_port:", 9: "", 13: "", ...noBuilders });
    expect(project).toMatchObject({ name: "example_project", warnings: [], outputs: { startAll: false }, plugins: { builders: [] } });
    expect(project.server).toMatchObject({ port: 8002, hosts: ["server1.example.org"], connectionSecurity: "mtls" });
    expect(project.participants[1]).toEqual({
      type: "client",
      name: "hospital-a",
      org: "hospital_a",
      connectionSecurity: "mtls",
      connectTo: { host: "server1.example.org", port: 8002, connectionSecurity: "mtls", name: "server1.example.org" },
      fqsn: "hospital-a",
      isLeaf: true,
      gpus: 0,
      memPerGpuGiB: 0,
      allowLogStreaming: false,
    });
  });

  it("gets certificates for 90 days that the server renews, where it says nothing", () => {
    const certificates = {
      keyType: "rsa-2048",
      leafLifetimeMs: 90 * dayMs,
      renewalGraceMs: 30 * dayMs,
      renewalIssuer: "server",
      serverMayRenew: ["client", "server", "relay"],
    };
    expect(parse(noBuilders).certificates).toEqual({ ...certificates, rootValidDays: 3650, isRootValidDaysGiven: false });
    expect(parse().certificates).toEqual({ ...certificates, rootValidDays: 360, isRootValidDaysGiven: true });
  });

  it("says in certificates how they are made and renewed", () => {
    const settings = [
      "certificates:",
      "  key_type: p256",
      "  root_valid_days: 100",
      "  leaf_lifetime: 5m",
      "  renewal_grace: 36h",
      "  renewal: ca_holder",
      "  server_may_renew: [client, admin]",
    ];
    const { certificates, warnings } = parse({ 3: settings.join("\n"), ...noBuilders });
    expect(certificates).toEqual({
      keyType: "p256",
      rootValidDays: 100,
      isRootValidDaysGiven: true,
      leafLifetimeMs: 5 * 60_000,
      renewalGraceMs: 1.5 * dayMs,
      renewalIssuer: "ca_holder",
      serverMayRenew: ["client", "admin"],
    });
    expect(warnings).toMatchObject([{ line: 9, message: expect.stringContaining("lets whoever breaks into the server") as unknown }]);
  });

  it("sends participants to default_host, and to connect_to where it is given", () => {
    const project = parse({
      8: "    default_host: fl.example.org",
      13: "    connect_to: { name: server1.example.org, host: 127.0.0.1, port: 443, connection_security: TLS, auth_identity: front }",
    });
    expect(project.server.hosts).toEqual(["fl.example.org", "localhost", "127.0.0.1", "::1"]);
    expect(project.participants[1]).toMatchObject({
      connectTo: { host: "127.0.0.1", port: 443, connectionSecurity: "tls", authIdentity: "front" },
    });
    expect(project.participants[2]).toMatchObject({ connectTo: { host: "fl.example.org", port: 8002, connectionSecurity: "mtls" } });
  });

  it("may send them to a host of somebody else's, who stands in front of the server, with a warning", () => {
    const { participants, warnings } = parse({ 13: "    connect_to: proxy.example.org" });
    expect(participants[1]).toMatchObject({ connectTo: { host: "proxy.example.org", port: 8102 } });
    expect(warnings).toMatchObject([
      { line: 13, message: expect.stringContaining("'proxy.example.org' is not a host of server") as unknown },
    ]);
  });

  it("says connection_security for all, and for one", () => {
    const project = parse({ 3: "connection_security: TLS", 13: "    connection_security: mtls" });
    expect(project.participants.map(({ connectionSecurity }) => connectionSecurity)).toEqual(["tls", "mtls", "tls"]);
    expect(parse({ 3: "connection_security: clear" }).warnings).toMatchObject([{ line: 3, path: "connection_security" }]);
    expect(parse({ 3: "connection_security: clear", 8: "    default_host: localhost", 9: "" }).warnings).toEqual([]);
  });

  it.each([
    ["server1.example.org", "SERVER1.Example.org"],
    ['"2001:db8::1"', '"2001:DB8:0::1"'],
  ])("knows a host of the server, %s, in other letters: %s", (known, written) => {
    expect(parse({ 9: `    host_names: [${known}]`, 13: `    connect_to: ${written}` }).warnings).toEqual([]);
  });

  it.each([
    ["mtls", "tls", true],
    ["tls", "mtls", true],
    ["mtls", "clear", true],
    ["tls", "tls", false],
    ["clear", "tls", false],
  ])("warns of ends of a connection that will never be one: server %s, site %s: %s", (server, site, isWarned) => {
    const lines = { 8: `    default_host: localhost\n    connection_security: ${server}`, 9: "", 3: `connection_security: ${site}` };
    const expected = Array.from({ length: isWarned ? 2 : 0 }, () => expect.stringContaining("it will not be let in") as unknown);
    expect(parse(lines).warnings.map(({ message }) => message)).toEqual(expected);
  });

  it("puts clients behind relays, and relays behind relays", () => {
    const relays = [
      "    connect_to: { name: relay2 }",
      "  - { name: relay1, type: relay, org: r, listening_host: { scheme: grpc, default_host: r1.example.org, port: 9001, connection_security: mtls } }",
      "  - { name: relay2, type: relay, org: r, listening_host: { host_names: [r2], port: 9002 }, connect_to: { name: relay1, host: r1.example.org } }",
    ];
    const project = parse({ 13: relays.join("\n") });
    expect(project.participants.map(({ name }) => name)).toEqual([
      "server1.example.org",
      "hospital-a",
      "relay1",
      "relay2",
      "admin@example.org",
    ]);
    expect(project.participants[1]).toMatchObject({
      relay: "relay2",
      connectTo: { name: "relay2", host: "localhost", port: 9002, connectionSecurity: "clear" },
    });
    expect(project.participants[2]).toMatchObject({
      fqcn: "relay1",
      connectTo: { name: "server1.example.org", connectionSecurity: "mtls" },
      listeningHost: { scheme: "grpc", hosts: ["r1.example.org"], port: 9001, connectionSecurity: "mtls" },
    });
    expect(project.participants[3]).toMatchObject({
      fqcn: "relay1.relay2",
      relay: "relay1",
      connectTo: { name: "relay1", host: "r1.example.org", port: 9001, connectionSecurity: "mtls" },
      listeningHost: { scheme: "tcp", hosts: ["localhost", "r2"], port: 9002, connectionSecurity: "clear" },
    });
  });

  it("gives sites a place in their hierarchy", () => {
    const project = parse({
      13: "  - { name: ward-1, type: client, org: a, parent: hospital-a }\n  - { name: bed-1, type: client, org: a, parent: ward-1 }",
    });
    const places = project.participants.flatMap((each) => (each.type === "client" ? [[each.fqsn, each.parent, each.isLeaf]] : []));
    expect(places).toEqual([
      ["hospital-a", undefined, false],
      ["hospital-a.ward-1", "hospital-a", false],
      ["hospital-a.ward-1.bed-1", "ward-1", true],
    ]);
  });

  it("takes listening_host of a client as a host and as a map", () => {
    expect(named("hospital-a", { 13: "    listening_host: trainer" })).toMatchObject({
      listeningHost: { scheme: "tcp", hosts: ["trainer"], port: 0, connectionSecurity: "clear" },
    });
    expect(named("hospital-a", { 13: "    listening_host: { port: 8102, host_names: 10.0.0.1 }" })).toMatchObject({
      listeningHost: { hosts: ["localhost", "10.0.0.1"], port: 8102 },
    });
  });

  it("lets no log leave a site that does not say so, in the words of YAML 1.1 too", () => {
    const streams = (line: string) => (named("hospital-a", { 13: line }) as { allowLogStreaming?: boolean }).allowLogStreaming;
    expect((named("hospital-a", {}) as { allowLogStreaming?: boolean }).allowLogStreaming).toBe(false);
    expect(streams("    allow_log_streaming: on")).toBe(true);
    expect((named("hospital-a", { 3: "allow_log_streaming: true" }) as { allowLogStreaming?: boolean }).allowLogStreaming).toBe(true);
    expect(streams("    allow_log_streaming: false")).toBe(false);
    expect(streams("    allow_log_streaming: off")).toBe(false);
    expect((named("hospital-a", { 3: "allow_log_streaming: false" }) as { allowLogStreaming?: boolean }).allowLogStreaming).toBe(false);
  });

  it("keeps a role of the project's own, with a warning", () => {
    const { participants, warnings } = parse({ 17: "    role: auditor" });
    expect(participants[2]).toMatchObject({ role: "auditor" });
    expect(warnings).toMatchObject([
      { line: 17, message: expect.stringContaining("role 'auditor' of 'admin@example.org' is not one of") as unknown },
    ]);
    expect(parse({ 17: "    role: leed" }).warnings[0]?.message).toContain("did you mean 'lead'?");
  });

  it("cuts a server's name to what a certificate can hold, and keeps it as the host", () => {
    const name = `${"a".repeat(60)}.example.org`;
    const project = parse({ 5: `  - name: ${name}`, 13: `    connect_to: { name: ${name} }` });
    expect(project.server).toMatchObject({ name: name.slice(0, 64), hosts: [name, "localhost", "127.0.0.1", "::1"] });
    expect(project.participants[1]).toMatchObject({ connectTo: { name: name.slice(0, 64), host: name } });
    expect(project.warnings).toMatchObject([{ line: 5 }]);
    // What a folder's name must not end with is cut off too.
    const dotted = `${"a".repeat(63)}.example.org`;
    expect(parse({ 5: `  - name: ${dotted}` }).server).toMatchObject({
      name: "a".repeat(63),
      hosts: expect.arrayContaining([dotted]) as unknown,
    });
  });

  it("cuts a project's name as FLARE does", () => {
    const { name, warnings } = parse({ 2: `name: ${"x".repeat(70)}` });
    expect(name).toBe("x".repeat(63));
    expect(warnings).toMatchObject([{ line: 2 }]);
  });

  it("is good without an admin, with a warning", () => {
    expect(parse({ 14: "", 15: "", 16: "", 17: "" }).warnings).toMatchObject([
      { line: 4, message: expect.stringContaining("no participant is an admin") as unknown },
    ]);
  });

  it("names studies of its sites and admins", () => {
    const study =
      "studies:\n  cancer-1: { site_orgs: { hospital_a: [hospital-a] }, admins: [admin@example.org, admin@example.org] }\n  empty:";
    const { studies, warnings } = parse({ 1: "api_version: 4", 3: study });
    expect(studies).toEqual({
      "cancer-1": { siteOrgs: { hospital_a: ["hospital-a"] }, admins: ["admin@example.org"] },
      empty: { siteOrgs: {}, admins: [] },
    });
    expect(warnings).toEqual([]);
  });

  it("may use anchors, aliases and merge keys", () => {
    const project = parse({
      10: "  - &site\n    name: hospital-a",
      13: "  - { <<: *site, name: hospital-b }",
    });
    expect(project.participants[2]).toMatchObject({ name: "hospital-b", type: "client", org: "hospital_a" });
  });

  it("keeps keys of a builder's own, and names them in a warning", () => {
    const project = parse({ 3: "x_cost_centre: 17" });
    expect(project.document).toMatchObject({ x_cost_centre: 17 });
    expect(project.warnings).toMatchObject([{ line: 3, message: "unknown key 'x_cost_centre' has no effect" }]);
  });

  it("warns of a server's name that makes a path which docker and Windows do not take", () => {
    const { server, warnings } = parse({ 5: '  - name: "2001:db8::1"' });
    expect(server.name).toBe("2001:db8::1");
    expect(warnings).toMatchObject([{ line: 5, message: expect.stringContaining("'2001:db8::1' as default_host") as string }]);
  });

  it("names every line that has no effect in a warning", () => {
    const project = parse({
      3: "packager: { path: nvflare.lighter.cc_provision.impl.onprem_packager.OnPremPackager }",
      8: "    fed_learn_port: 8002\n    admin_port: 8003\n    use_aio: true",
      13: "    cc_config: cc.yml\n  - { name: overseer1, type: overseer, org: x }\n  - { name: helper, type: monitor, org: x }",
      21: "      scheme: http\n      docker_image: python:3.12\n      config_folder: config",
      22: "  - path: nvflare.lighter.cc_provision.impl.cc.CCBuilder\n  - path: nvflare.lighter.impl.he.HEBuilder\n  - path: nvflare.lighter.impl.cert.CertBuilder",
    });
    expect(project.outputs).toMatchObject({ dockerImage: "python:3.12" });
    expect(project.warnings.map(({ line, message }) => `${line}: ${message}`)).toEqual([
      "3: OnPremPackager has no effect: images of confidential machines are not made; kits are written as folders",
      "9: admin_port 8003 has no effect: admins connect to fed_learn_port 8002 too",
      "10: use_aio has no effect: everything is asynchronous always",
      "15: cc_config has no effect: machines are not attested",
      "16: overseer 'overseer1' has no effect: FLARE has no overseer any more",
      "17: type 'monitor' is not known: no kit is made for it",
      "25: scheme http has no effect: connections use grpc",
      "28: CCBuilder has no effect: no machine is attested, and nothing keeps the owner of a machine from what runs on it; trust these kits as those of any other project",
      "29: HEBuilder has no effect: contexts of homomorphic encryption are not written yet; a job that needs them is refused",
    ]);
  });
});

describe("files that a project file names", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await folder.remove();
  });
  const parseHere = (lines: Parameters<typeof projectText>[0]) => parseProject(projectText(lines), join(folder.dir, "project.yml"));

  it("are certificates, of which nothing else is taken over", async () => {
    const { prodDir } = await provisionExample(folder.dir);
    const root = await import("node:fs/promises").then(({ readFile }) => readFile(join(prodDir, "hospital-a/startup/rootCA.pem"), "utf8"));
    await writeFile(join(folder.dir, "ca.pem"), `a note\r\n${root}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`);
    const project = parseHere({ 3: "custom_ca_cert: ca.pem" });
    expect(project.participants.map(({ customCaCert }) => customCaCert)).toEqual([root, root, root]);
    expect(JSON.stringify(project)).not.toContain("PRIVATE");
  });

  it("are requirements of DockerBuilder's image", async () => {
    const docker = { 22: "  - path: nvflare.lighter.impl.docker.DockerBuilder", 24: "      base_image: python:3.12" };
    expect(parseHere(docker).outputs).toEqual({ compose: { baseImage: "python:3.12" }, startAll: false });
    await writeFile(join(folder.dir, "requirements.txt"), "numpy\n");
    expect(parseHere(docker).outputs).toMatchObject({ compose: { requirements: "numpy\n" } });
  });
});
