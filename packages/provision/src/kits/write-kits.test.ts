import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { needsTool } from "../../test/needs-tool.js";
import { projectText } from "../../test/project-text.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { writeKitsOf } from "../../test/write-kits-of.js";
import { readKit } from "../kit/read-kit.js";
import { verifyKit } from "../kit/verify-kit.js";
import { parseProject } from "../project/parse-project.js";
import type { Project } from "../project/project.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let plain: string;
let full: string;
let frontPem: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  plain = join(folder.dir, "plain");
  full = join(folder.dir, "full");
  const file = join(folder.dir, "project.yml");
  const { rootPem } = await writeKitsOf(parseProject(projectText(), file), plain);
  frontPem = rootPem;
  await writeFile(join(folder.dir, "front.pem"), frontPem);
  const parsed = parseProject(fullProject, file);
  const project: Project = {
    ...parsed,
    outputs: { dockerImage: "example/flare:1", compose: { baseImage: "python:3.10", requirements: "numpy\n" }, startAll: true },
  };
  await writeKitsOf(project, full, { isIssuedBelow: true });
});
afterAll(() => folder.remove());

/** One of everything that a kit can be asked to hold. */
const fullProject = `api_version: 4
name: full_project
participants:
  - name: server1.example.org
    type: server
    org: consortium
    fed_learn_port: 8102
    host_names: [localhost, "::1"]
    connection_security: tls
    auth_identity: the-server
    listening_host: localhost
  - name: relay-1
    type: relay
    org: consortium
    listening_host: { default_host: relay1.example.org, host_names: [10.0.0.1], port: 9000, scheme: grpc, connection_security: mtls }
  - name: relay-2
    type: relay
    org: consortium
    connect_to: { name: relay-1 }
    listening_host: { default_host: relay2.example.org, port: 9001 }
  - name: hospital-a
    type: client
    org: hospital_a
    connection_security: tls
    custom_ca_cert: front.pem
    capacity: { num_of_gpus: 2, mem_per_gpu_in_GiB: 16 }
    allow_log_streaming: false
    auth_identity: a-at-the-front
  - name: ward-1
    type: client
    org: hospital_a
    parent: hospital-a
    connect_to: { name: relay-2 }
    listening_host: { port: 7000 }
  - name: admin@example.org
    type: admin
    org: consortium
    role: lead
    connection_security: clear
studies:
  heart: { site_orgs: { hospital_a: [hospital-a] }, admins: [admin@example.org] }
`;

async function modesBelow(dir: string): Promise<Record<string, string>> {
  const entries = (await readdir(dir, { withFileTypes: true, recursive: true })).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath, entry.name)).toSorted();
  return Object.fromEntries(
    await Promise.all(files.map(async (path) => [path.slice(dir.length + 1), ((await stat(path)).mode & 0o777).toString(8)] as const)),
  );
}

const json = async (...path: string[]): Promise<unknown> => JSON.parse(await readFile(join(...path), "utf8"));

const anybody = (...paths: string[]): Record<string, string> => Object.fromEntries(paths.map((path) => [path, "644"]));
const owner = (...paths: string[]): Record<string, string> => Object.fromEntries(paths.map((path) => [path, "600"]));
const programs = (...names: string[]): Record<string, string> => Object.fromEntries(names.map((name) => [`startup/${name}`, "755"]));

const processKit = (type: string, name: string): Record<string, string> => ({
  ...anybody("local/authorization.json.default", "local/log_config.json.default", "local/resources.json.default", "readme.txt"),
  ...anybody(
    `deploy/flare-${name}.service`,
    `startup/${type}.crt`,
    `startup/fed_${type}.json`,
    "startup/rootCA.pem",
    "startup/signature.json",
  ),
  ...(type === "client" ? anybody("local/privacy.json.sample") : {}),
  ...owner(`startup/${type}.key`),
  ...programs("start.sh", "stop_fl.sh", "sub_start.sh"),
});
const adminKit = {
  ...anybody("readme.txt", "startup/client.crt", "startup/fed_admin.json", "startup/rootCA.pem", "startup/signature.json"),
  ...owner("startup/client.key"),
  ...programs("fl_admin.sh"),
};
const containers = {
  ...anybody("deploy/.dockerignore", "deploy/.env", "deploy/Dockerfile", "deploy/compose.yaml", "deploy/requirements.txt"),
  ...programs("docker.sh"),
};
const listener = { ...anybody("local/comm_config.json", "startup/server.crt"), ...owner("startup/server.key") };
const relayKit = (name: string): Record<string, string> => ({
  ...anybody(`deploy/flare-${name}.service`, "local/log_config.json.default", "readme.txt"),
  ...anybody("startup/client.crt", "startup/fed_relay.json", "startup/rootCA.pem", "startup/signature.json", "startup/trust.json"),
  ...owner("startup/client.key"),
  ...programs("start.sh", "stop_fl.sh", "sub_start.sh"),
  ...listener,
});

describe("a kit holds these files and no others, with these modes:", () => {
  it.each([
    ["server1.example.org", processKit("server", "server1.example.org")],
    ["hospital-a", processKit("client", "hospital-a")],
    ["admin@example.org", adminKit],
  ])("of a plain project for %s", async (name, files) => {
    expect(await modesBelow(join(plain, name))).toEqual(files);
    expect((await stat(join(plain, name, "transfer"))).isDirectory()).toBe(true);
  });

  it.each([
    [
      "server1.example.org",
      {
        ...processKit("server", "server1.example.org"),
        ...containers,
        ...anybody("local/comm_config.json", "local/study_registry.json", "startup/issuing.crt", "startup/trust.json"),
        ...owner("startup/issuing.key"),
      },
    ],
    ["relay-1", relayKit("relay-1")],
    ["relay-2", relayKit("relay-2")],
    ["hospital-a", { ...processKit("client", "hospital-a"), ...containers, ...anybody("startup/customRootCA.pem", "startup/trust.json") }],
    [
      "ward-1",
      { ...processKit("client", "ward-1"), ...containers, ...listener, ...anybody("local/relay__resources.json", "startup/trust.json") },
    ],
    ["admin@example.org", { ...adminKit, ...programs("docker.sh"), ...anybody("startup/trust.json") }],
  ])("of a project that asks for everything for %s", async (name, files) => {
    expect(await modesBelow(join(full, name))).toEqual(files);
  });

  it("and beside the kits what runs a whole project on one machine", async () => {
    expect((await readdir(plain)).toSorted()).toEqual(["admin@example.org", "hospital-a", "server1.example.org"]);
    const beside = Object.entries(await modesBelow(full)).filter(([path]) => !/^(server1|relay-|hospital|ward|admin@)/.test(path));
    expect(Object.fromEntries(beside)).toEqual({
      ...anybody(".env", "compose.yaml"),
      ...anybody("nvflare_compose/.dockerignore", "nvflare_compose/Dockerfile", "nvflare_compose/requirements.txt"),
      "start_all.sh": "755",
    });
  });
});

const renewal = {
  renewal: "server",
  leaf_lifetime_ms: 90 * 24 * 3_600_000,
  renewal_grace_ms: 30 * 24 * 3_600_000,
  server_may_renew: ["client", "server", "relay"],
};

describe("FLARE's JSON", () => {
  it("in the kits of a plain project", async () => {
    expect(await json(plain, "server1.example.org/startup/fed_server.json")).toEqual({
      format_version: 2,
      servers: [
        {
          name: "example_project",
          service: { target: "server1.example.org:8102", scheme: "grpc" },
          admin_server: "server1.example.org",
          admin_port: 8102,
          ssl_private_key: "server.key",
          ssl_cert: "server.crt",
          ssl_root_cert: "rootCA.pem",
          connection_security: "mtls",
        },
      ],
      certificates: renewal,
    });
    expect(await json(plain, "hospital-a/startup/fed_client.json")).toEqual({
      format_version: 2,
      servers: [{ name: "example_project", service: { target: "localhost:8102", scheme: "grpc" }, identity: "server1.example.org" }],
      client: {
        ssl_private_key: "client.key",
        ssl_cert: "client.crt",
        ssl_root_cert: "rootCA.pem",
        fqsn: "hospital-a",
        is_leaf: true,
        connection_security: "mtls",
      },
      certificates: renewal,
    });
    expect(await json(plain, "admin@example.org/startup/fed_admin.json")).toEqual({
      format_version: 1,
      admin: {
        project_name: "example_project",
        username: "admin@example.org",
        server_identity: "server1.example.org",
        scheme: "grpc",
        host: "server1.example.org",
        port: 8102,
        connection_security: "mtls",
        uid_source: "cert",
        with_file_transfer: true,
        upload_dir: "transfer",
        download_dir: "transfer",
        client_key: "client.key",
        client_cert: "client.crt",
        ca_cert: "rootCA.pem",
      },
      certificates: renewal,
    });
  });

  it("of connections, hierarchies and identities", async () => {
    const map = {
      "relay-1.relay-2": "relay-2",
      "relay-1.relay-2.ward-1": "ward-1",
      "hospital-a": "a-at-the-front",
    };
    expect(await json(full, "server1.example.org/startup/fed_server.json")).toMatchObject({
      servers: [{ connection_security: "tls", auth_identity: "the-server", auth_identity_map: map }],
    });
    expect(await json(full, "hospital-a/startup/fed_client.json")).toMatchObject({
      client: { fqsn: "hospital-a", is_leaf: false, connection_security: "tls", auth_identity: "a-at-the-front", auth_identity_map: map },
    });
    expect(await json(full, "ward-1/startup/fed_client.json")).toMatchObject({
      servers: [{ service: { target: "server1.example.org:8102" }, identity: "server1.example.org" }],
      client: { fqsn: "hospital-a.ward-1", is_leaf: true, connection_security: "mtls" },
    });
    expect(await json(full, "admin@example.org/startup/fed_admin.json")).toMatchObject({ admin: { connection_security: "clear" } });
  });

  it("of a site's settings", async () => {
    expect(await json(full, "hospital-a/local/resources.json.default")).toEqual({
      format_version: 2,
      allow_log_streaming: false,
      components: [{ id: "resource_manager", args: { num_of_gpus: 2, mem_per_gpu_in_GiB: 16 } }],
      datasets: {},
    });
    expect(await json(full, "server1.example.org/local/study_registry.json")).toEqual({
      format_version: "1.0",
      studies: { heart: { site_orgs: { hospital_a: ["hospital-a"] }, admins: ["admin@example.org"] } },
    });
  });

  it("of relays and of who is behind one", async () => {
    const fedRelay = (identity: string): object => ({
      format_version: 2,
      project_name: "full_project",
      identity,
      server_identity: "server1.example.org",
      certificates: renewal,
    });
    expect(await json(full, "relay-1/startup/fed_relay.json")).toEqual({
      ...fedRelay("relay-1"),
      auth_identity_map: { "relay-1.relay-2.ward-1": "ward-1" },
      connect_to: {
        scheme: "grpc",
        identity: "server1.example.org",
        auth_identity: "the-server",
        address: "server1.example.org:8102",
        fqcn: "server",
        connection_security: "mtls",
      },
    });
    expect(await json(full, "relay-2/startup/fed_relay.json")).toEqual({
      ...fedRelay("relay-2"),
      connect_to: {
        scheme: "grpc",
        identity: "relay-1",
        address: "relay1.example.org:9000",
        fqcn: "relay-1",
        connection_security: "mtls",
      },
    });
    expect(await json(full, "ward-1/local/relay__resources.json")).toEqual({
      format_version: 2,
      relay_config: {
        scheme: "tcp",
        identity: "relay-2",
        address: "relay2.example.org:9001",
        fqcn: "relay-1.relay-2",
        connection_security: "clear",
      },
    });
    const commConfig = async (name: string): Promise<unknown> => await json(full, `${name}/local/comm_config.json`);
    expect(await commConfig("relay-1")).toEqual({
      allow_adhoc_conns: false,
      backbone_conn_gen: 1,
      internal: { scheme: "grpc", resources: { host: "relay1.example.org", port: 9000, connection_security: "mtls" } },
    });
    expect(await commConfig("ward-1")).toMatchObject({ backbone_conn_gen: 1, internal: { resources: { host: "localhost", port: 7000 } } });
    expect(await commConfig("server1.example.org")).toMatchObject({ backbone_conn_gen: 2, internal: { scheme: "tcp" } });
  });
});

describe("a kit of every kind", () => {
  const kits = (): string[] => [
    ...["server1.example.org", "hospital-a", "admin@example.org"].map((name) => join(plain, name)),
    ...["server1.example.org", "relay-1", "relay-2", "hospital-a", "ward-1", "admin@example.org"].map((name) => join(full, name)),
  ];

  it("is read back and trusted", async () => {
    const read = await Promise.all(kits().map(async (dir) => await readKit(dir)));
    for (const kit of read) await verifyKit(kit);
    expect(read.map(({ type, name, endpoint }) => [type, name, endpoint.connectionSecurity])).toEqual([
      ["server", "server1.example.org", "mtls"],
      ["client", "hospital-a", "mtls"],
      ["admin", "admin@example.org", "mtls"],
      ["server", "server1.example.org", "tls"],
      ["relay", "relay-1", "mtls"],
      ["relay", "relay-2", "mtls"],
      ["client", "hospital-a", "tls"],
      ["client", "ward-1", "clear"],
      ["admin", "admin@example.org", "clear"],
    ]);
    expect(read.map(({ customCaPem }) => customCaPem)).toEqual([
      ...Array.from({ length: 6 }, () => undefined),
      frontPem,
      undefined,
      undefined,
    ]);
    expect(read[0]?.certificates).toEqual({
      renewal: "server",
      leafLifetimeMs: renewal.leaf_lifetime_ms,
      renewalGraceMs: renewal.renewal_grace_ms,
      serverMayRenew: renewal.server_may_renew,
    });
  });

  it("is found out when one byte of any file in startup was changed, and the file is named", async () => {
    for (const dir of kits()) {
      const startup = join(dir, "startup");
      const names = await readdir(startup);
      for (const name of names) {
        const file = join(startup, name);
        const bytes = await readFile(file);
        for (const at of bytesToChange(name, bytes)) {
          await writeFile(file, bytes.with(at, bytes[at] === 0x0a ? 0x20 : (bytes[at] ?? 0) ^ 1));
          const { code, facts } = await errorOf(open(dir));
          const named = typeof facts["file"] === "string" ? facts["file"] : "";
          expect(code).toMatch(/^kit\//);
          expect(dirname(named)).toBe(startup);
          // Of a signature that does not fit, the file is named whose signature it is.
          expect(name === "signature.json" ? names : [name]).toContain(basename(named));
        }
        await writeFile(file, bytes);
      }
      await open(dir);
    }
  });

  it.skipIf(needsTool("openssl", "openssl"))("has certificates that openssl verifies, for the hosts that are dialled", async () => {
    for (const dir of kits()) {
      const startup = join(dir, "startup");
      const names = (await readdir(startup)).filter((name) => name.endsWith(".crt") && name !== "issuing.crt");
      for (const name of names) {
        const path = join(startup, name);
        const purpose = name === "server.crt" ? "sslserver" : "sslclient";
        const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", join(startup, "rootCA.pem"), "-untrusted", path, path];
        expect(execFileSync("openssl", args, { encoding: "utf8" })).toBe(`${path}: OK\n`);
      }
    }
    const listenerOf = async (name: string): Promise<X509Certificate> =>
      new X509Certificate(await readFile(join(full, name, "startup/server.crt")));
    const relay = await listenerOf("relay-1");
    expect(relay.subjectAltName).toBe("DNS:relay1.example.org, IP Address:10.0.0.1");
    expect(relay.subject).toBe("CN=relay-1\nO=consortium\nunstructuredName=relay");
    expect((await listenerOf("ward-1")).checkHost("localhost")).toBe("localhost");
  });
});

async function open(dir: string): Promise<void> {
  await verifyKit(await readKit(dir));
}

/** In a signature, a letter of it; in JSON, a line break, which changes nothing but the bytes; elsewhere both of it. */
function bytesToChange(name: string, bytes: Buffer): number[] {
  if (name === "signature.json") return [bytes.lastIndexOf('": "') + 10];
  const lineBreak = bytes.lastIndexOf("\n");
  return name.endsWith(".json") ? [lineBreak] : [lineBreak, Math.floor(bytes.length / 2)];
}
