import { chmod, cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { KitStage, type WrongKit } from "../../test/kit-stage.js";
import { readKit } from "./read-kit.js";

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
    message: "has none of fed_server.json, fed_client.json, fed_admin.json",
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
    what: "connections in clear text",
    type: "admin",
    spoil: async (kits) => await kits.edit("admin", "fed_admin.json", (text) => text.replace('"mtls"', '"clear"')),
    code: "kit/not-supported",
    file: "fed_admin.json",
    line: 10,
    message: "connection_security clear is not supported yet; only mtls is",
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
    const refusal = await stage.refusal(wrongKit);
    expect(refusal).toMatchObject({ code, file, line });
    expect(refusal.messages).toContain(message);
    expect(refusal.text).not.toContain("PRIVATE KEY");
  });
});
