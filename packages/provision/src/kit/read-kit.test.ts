import { chmod, copyFile, cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KitStage, type WrongKit } from "../../test/kit-stage.js";
import type { Kit } from "./kit.js";
import { readKit } from "./read-kit.js";
import { readLocalResources } from "./read-local.js";

let stage: KitStage;
beforeAll(async () => {
  stage = await KitStage.build();
});
afterAll(async () => {
  await stage.remove();
});
beforeEach(async () => {
  await stage.refresh();
});

describe("a kit as it was provisioned", () => {
  it("is read with what its certificate and its configuration say", async () => {
    const server = await readKit(stage.dir("server"));
    expect(server).toMatchObject({
      dir: stage.dir("server"),
      type: "server",
      name: "server1.example.org",
      org: "consortium",
      role: "server",
      project: "example_project",
      serverIdentity: "server1.example.org",
      endpoint: {
        host: "server1.example.org",
        port: 8102,
        scheme: "grpc",
        connectionSecurity: "mtls",
        hosts: ["server1.example.org", "localhost", "127.0.0.1", "::1"],
      },
      transferDir: join(stage.dir("server"), "transfer"),
    });
    expect(server.local).toEqual({
      dir: join(stage.dir("server"), "local"),
      resources: join(stage.dir("server"), "local/resources.json.default"),
      authorization: join(stage.dir("server"), "local/authorization.json.default"),
      logConfig: join(stage.dir("server"), "local/log_config.json.default"),
      privacy: undefined,
      withoutEffect: [],
      misnamed: [],
    });
    expect(await readKit(stage.dir("client"))).toMatchObject({
      type: "client",
      name: "hospital-a",
      org: "hospital_a",
      role: "client",
      serverIdentity: "server1.example.org",
      endpoint: { host: "localhost", port: 8102, hosts: ["localhost"] },
    });
    expect(await readKit(stage.dir("admin"))).toMatchObject({
      type: "admin",
      name: "admin@example.org",
      role: "lead",
      endpoint: { host: "server1.example.org", port: 8102 },
    });
  });
});

describe("a kit of an earlier version", () => {
  it.each(["server", "client", "admin"] as const)("for %s, which says nothing of renewal, is still read", async (type) => {
    expect((await readKit(stage.dir(type))).certificates).toMatchObject({ renewal: "server" });
    await stage.edit(type, `fed_${type}.json`, (text) => {
      const { certificates: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
      return JSON.stringify(rest);
    });
    await stage.signAgain(type);
    const kit = await readKit(stage.dir(type));
    expect(kit.certificates).toBeUndefined();
    await stage.open(type);
    if (type !== "client") return;
    const { allow_log_streaming: __, ...resources } = JSON.parse(await readFile(kit.local.resources ?? "", "utf8")) as Record<
      string,
      unknown
    >;
    await writeFile(kit.local.resources ?? "", JSON.stringify(resources));
    expect(await readLocalResources(kit)).toMatchObject({ type: "client", gpus: 0 });
  });
});

describe("a kit for connections", () => {
  it.each(["mtls", "tls", "clear"])("with %s is read, whoever it is for", async (security) => {
    for (const type of ["server", "client", "admin"] as const) {
      await stage.edit(type, `fed_${type}.json`, (text) => text.replace('"mtls"', `"${security}"`));
      const { endpoint, customCaPem } = await readKit(stage.dir(type));
      expect({ ...endpoint, customCaPem }).toMatchObject({ connectionSecurity: security, customCaPem: undefined });
    }
  });

  it("brings the roots of a proxy where its connections end at one", async () => {
    const rootPem = await readFile(stage.startup("client", "rootCA.pem"), "utf8");
    await writeFile(stage.startup("client", "customRootCA.pem"), rootPem);
    expect((await readKit(stage.dir("client"))).customCaPem).toBeUndefined();
    await stage.edit("client", "fed_client.json", (text) => text.replace('"mtls"', '"tls"'));
    const kit = await readKit(stage.dir("client"));
    expect(kit).toMatchObject({ customCaPem: rootPem, startup: { customCa: stage.startup("client", "customRootCA.pem") } });
  });
});

describe("a site of a hierarchy", () => {
  it("is named by the last part of its fqsn", async () => {
    await stage.edit("client", "fed_client.json", (text) => text.replace('"fqsn": "', '"fqsn": "region.city.'));
    expect((await readKit(stage.dir("client"))).name).toBe("hospital-a");
  });

  const relayOf = async (): Promise<Kit> => {
    await rm(stage.startup("client", "fed_client.json"));
    await writeFile(stage.startup("client", "fed_relay.json"), JSON.stringify(fedRelay));
    return await readKit(stage.dir("client"));
  };

  it("can be a relay, which says where it listens and what it dials", async () => {
    const comm = { allow_adhoc_conns: false, backbone_conn_gen: 1, internal: { scheme: "tcp", resources: listening } };
    const file = join(stage.dir("client"), "local/comm_config.json");
    await writeFile(file, JSON.stringify(comm));
    for (const kind of ["crt", "key"]) await copyFile(stage.startup("client", `client.${kind}`), stage.startup("client", `server.${kind}`));
    const kit = await relayOf();
    expect(kit).toMatchObject({
      type: "relay",
      name: "hospital-a",
      project: "example_project",
      serverIdentity: "server1.example.org",
      endpoint: { host: "relay2.example.org", port: 9000, connectionSecurity: "tls" },
      relay: { name: "relay-2" },
      listening: { port: 9001, connectionSecurity: "mtls", file, privateKeyPem: kit.privateKeyPem },
    });
    await chmod(stage.startup("client", "server.key"), 0o644);
    await expect(readKit(stage.dir("client"))).rejects.toMatchObject({ code: "kit/key-exposed" });
  });

  it("can be behind a relay, and dials that instead of the server as long as its file is there", async () => {
    const file = join(stage.dir("client"), "local/relay__resources.json");
    await writeFile(file, JSON.stringify({ format_version: 2, relay_config: fedRelay.connect_to }));
    const kit = await readKit(stage.dir("client"));
    expect(kit.relay).toEqual({ name: "relay-2", file });
    expect(kit.endpoint).toMatchObject({ host: "relay2.example.org", port: 9000, connectionSecurity: "tls" });
    await rm(file);
    const direct = await readKit(stage.dir("client"));
    expect([direct.relay, direct.endpoint.host]).toEqual([undefined, "localhost"]);
  });
});

const listening = { host: "relay3.example.org", port: 9001, connection_security: "mtls" };
const fedRelay = {
  format_version: 2,
  project_name: "example_project",
  identity: "hospital-a",
  server_identity: "server1.example.org",
  connect_to: {
    scheme: "tcp",
    identity: "relay-2",
    address: "relay2.example.org:9000",
    fqcn: "relay-1.relay-2",
    connection_security: "tls",
  },
};

const wrongKits: readonly WrongKit[] = [
  {
    what: "no folder",
    type: "server",
    spoil: async (kits) => await rm(kits.dir("server"), { recursive: true }),
    code: "kit/not-a-folder",
    message: "is not a folder",
  },
  {
    what: "no startup folder",
    type: "server",
    spoil: async (kits) => await rm(kits.startup("server"), { recursive: true }),
    code: "kit/not-a-kit",
    message: "has no folder startup",
  },
  {
    what: "no configuration",
    type: "client",
    spoil: async (kits) => await rm(kits.startup("client", "fed_client.json")),
    code: "kit/not-a-kit",
    message: "has none of fed_server.json, fed_client.json, fed_admin.json, fed_relay.json",
  },
  {
    what: "the configurations of two kits",
    type: "client",
    spoil: async (kits) => await cp(kits.startup("server", "fed_server.json"), kits.startup("client", "fed_server.json")),
    code: "kit/ambiguous",
    message: "has fed_server.json and fed_client.json",
  },
  ...["client.crt", "client.key", "rootCA.pem"].map(
    (file): WrongKit => ({
      what: `no ${file}`,
      type: "client",
      spoil: async (kits) => await rm(kits.startup("client", file)),
      code: "kit/file-missing",
      file,
      message: `${file} is missing`,
    }),
  ),
  {
    what: "JSON that breaks off",
    type: "server",
    spoil: async (kits) => await kits.edit("server", "fed_server.json", (text) => text.slice(0, text.indexOf('"admin_port"'))),
    code: "kit/invalid",
    file: "fed_server.json",
    line: 11,
    message: "fed_server.json has",
  },
  {
    what: "an unknown key",
    type: "client",
    spoil: async (kits) => await kits.edit("client", "fed_client.json", (text) => text.replace('"ssl_cert"', '"ssl_crt"')),
    code: "kit/invalid",
    file: "fed_client.json",
    line: 13,
    message: "unknown key 'ssl_crt'; did you mean 'ssl_cert'?",
  },
  {
    what: "a target that is none",
    type: "client",
    spoil: async (kits) => await kits.edit("client", "fed_client.json", (text) => text.replace('"localhost:8102"', '"localhost"')),
    code: "kit/invalid",
    file: "fed_client.json",
    line: 7,
    message: "must be <host>:<port>",
  },
  {
    what: "the name of a file outside",
    type: "client",
    spoil: async (kits) => await kits.edit("client", "fed_client.json", (text) => text.replace('"client.key"', '"../client.key"')),
    code: "kit/invalid",
    file: "fed_client.json",
    line: 14,
    message: "must be the name of a file in startup",
  },
  {
    what: "an unknown connection_security",
    type: "admin",
    spoil: async (kits) => await kits.edit("admin", "fed_admin.json", (text) => text.replace('"mtls"', '"ssl"')),
    code: "kit/invalid",
    file: "fed_admin.json",
    line: 10,
    message: "must be mtls, tls or clear",
  },
  {
    what: "roots of a proxy that are none",
    type: "client",
    spoil: async (kits) => {
      await kits.edit("client", "fed_client.json", (text) => text.replace('"mtls"', '"tls"'));
      await writeFile(kits.startup("client", "customRootCA.pem"), "hello");
    },
    code: "kit/certificate-unreadable",
    file: "customRootCA.pem",
    message: "is not a certificate",
  },
  {
    what: "a WebSocket scheme",
    type: "server",
    spoil: async (kits) => await kits.edit("server", "fed_server.json", (text) => text.replace('"grpc"', '"http"')),
    code: "kit/not-supported",
    file: "fed_server.json",
    line: 8,
    message: "scheme http is not supported yet; only grpc is",
  },
  {
    what: "a certificate that is none",
    type: "client",
    spoil: async (kits) => await writeFile(kits.startup("client", "client.crt"), "hello"),
    code: "kit/certificate-unreadable",
    file: "client.crt",
    message: "is not a certificate",
  },
  {
    what: "a private key that others can read",
    type: "client",
    spoil: async (kits) => await chmod(kits.startup("client", "client.key"), 0o640),
    code: "kit/key-exposed",
    file: "client.key",
    message: "has mode 0640, so that other accounts can use it; run: chmod 600 '",
  },
  {
    what: "another participant's certificate",
    type: "client",
    spoil: async (kits) => await cp(kits.startup("admin", "client.crt"), kits.startup("client", "client.crt")),
    code: "kit/identity-mismatch",
    file: "fed_client.json",
    message: "is for 'hospital-a', but",
  },
];

describe("a kit with", () => {
  it.each(wrongKits)("$what is refused", async (wrongKit) => {
    const { code, file, line, message } = wrongKit;
    // Made so, not changed since: what was signed otherwise is refused for that.
    const spoil = async (kits: KitStage): Promise<void> => {
      await wrongKit.spoil(kits);
      await rm(kits.startup(wrongKit.type, "signature.json"), { force: true });
    };
    const refusal = await stage.refusal({ ...wrongKit, spoil });
    expect(refusal).toMatchObject({ code, file, line });
    expect(refusal.messages).toContain(message);
    expect(refusal.text).not.toContain("PRIVATE KEY");
  });
});
