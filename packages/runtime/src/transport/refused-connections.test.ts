import { randomBytes } from "node:crypto";
import { connect as connectTls } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { type ContentHash, type FlareError, limits } from "@flare-ts/contracts";
import { ChallengeRequestSchema, RegisterRequestSchema, StatRequestSchema } from "@flare-ts/contracts/wire";
import { ChannelCredentials, Client, Metadata } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type { ProjectKeys } from "../session/project-keys.js";
import { registerSession } from "../session/register-session.js";
import { TestProject } from "../session/test-project.test-support.js";
import { dialServer } from "./dial-server.js";
import { startTestServer, type TestServer } from "./test-server.test-support.js";
import { tokenKey } from "./token-key.js";
import { fromWireStatus } from "./wire-error.js";
import { wireMethods } from "./wire-method.js";

const hash = "ef".repeat(32) as ContentHash;

describe("who may connect", () => {
  let server: TestServer;

  afterEach(async () => {
    await server.stop();
  });

  function refusals(): unknown[] {
    return server.events.filter(({ kind }) => kind === "refused");
  }

  it.each([
    [
      "a stranger's certificate",
      (project: TestProject) => project.issue({ name: "site-1" }, new TestProject("stranger")),
      /CERT|issuer|signature/i,
    ],
    [
      "one of another project of the same name",
      (project: TestProject) => project.issue({ name: "site-1" }, new TestProject(project.name)),
      /CERT|VERIFY/,
    ],
    [
      "an expired one",
      (project: TestProject) => project.issue({ name: "site-1", validTo: new Date(Date.now() - 60_000) }),
      /CERT_HAS_EXPIRED/,
    ],
  ])("refuses %s in TLS, and the audit says why and from where", async (_what, keysOf, reason) => {
    let asked = 0;
    server = await startTestServer({
      attach: () => {
        asked += 1;
        return { onMessage: () => undefined, onClose: () => undefined };
      },
    });
    await expect(server.dial("site-1", keysOf(server.project))).rejects.toMatchObject({ code: "auth/tls-refused" });
    await expect.poll(refusals).toMatchObject([{ step: "tls", code: "auth/tls-refused", reason: expect.stringMatching(reason) }]);
    expect(refusals()).toMatchObject([{ address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) }]);
    expect(asked).toBe(0);
    expect(server.authenticator.sessionsOf("site-1")).toEqual([]);
  });

  it("refuses a peer without a certificate, and TLS older than 1.2", async () => {
    server = await startTestServer();
    const ca = server.project.rootCaPem;
    const failed = async (options: object): Promise<void> => {
      const socket = connectTls({ host: "localhost", port: server.port, ca, ALPNProtocols: ["h2"], ...options });
      socket.on("error", () => undefined);
      await new Promise((resolve) => {
        socket.once("close", resolve);
      });
    };
    await failed({});
    const { certificatePem: cert, privateKeyPem: key } = server.project.issue({ name: "site-1" });
    await failed({ cert, key, minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" });
    await expect.poll(() => refusals().length).toBe(2);
    expect(refusals()[0]).toMatchObject({ step: "tls", reason: "peer did not return a certificate" });
  });

  it("refuses a client that claims another's name", async () => {
    server = await startTestServer();
    const keys = server.project.issue({ name: "site-2" });
    await expect(server.dial("site-1", keys)).rejects.toMatchObject({ code: "auth/name-mismatch" });
    expect(refusals()).toMatchObject([{ step: "register", code: "auth/name-mismatch", claimedName: "site-1" }]);
  });

  it("does not talk to a server of another project, of another name, or at a name that is not in its certificate", async () => {
    server = await startTestServer();
    const other = new TestProject(server.project.name);
    const init = server.dialInit("site-1");
    await expect(dialServer({ ...init, keys: other.issue({ name: "site-1" }) })).rejects.toMatchObject({ code: "auth/tls-refused" });
    await expect(dialServer({ ...init, serverIdentity: "server-2" })).rejects.toMatchObject({ code: "auth/server-untrusted" });
    await expect(dialServer({ ...init, host: "127.0.0.1" })).rejects.toMatchObject({
      code: "auth/tls-refused",
      message: expect.stringContaining("does not carry the name 127.0.0.1"),
    });
    await expect(dialServer({ ...init, project: "another" })).rejects.toMatchObject({ code: "auth/wrong-project" });
  });

  it("tells an unknown host and a closed port from a refusal", async () => {
    server = await startTestServer();
    const init = server.dialInit("site-1");
    await expect(dialServer({ ...init, host: "nowhere.invalid" })).rejects.toMatchObject({ code: "transfer/unreachable" });
    await expect(dialServer({ ...init, port: 1 })).rejects.toMatchObject({
      code: "transfer/unreachable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    const abort = new AbortController();
    abort.abort();
    await expect(dialServer(init, abort.signal)).rejects.toThrow(/abort/i);
  });

  it("refuses a token that is used on another connection, also with the certificate that it belongs to", async () => {
    let token = "";
    server = await startTestServer();
    const keys = server.project.issue({ name: "site-1" });
    // Recorded by a raw client, which registers as ours does; its token is then played again from elsewhere.
    const site = rawClient(server, keys);
    try {
      token = await site.registerByHand("site-1");
      expect(await site.statWith(token)).toBeUndefined();
      const thief = rawClient(server, keys);
      expect(await thief.statWith(token)).toBe("auth/token-not-yours");
      expect(await thief.statWith("made-up")).toBe("auth/token-unknown");
      expect(await thief.statWith(undefined)).toBe("auth/token-unknown");
      thief.close();
      const other = rawClient(server, server.project.issue({ name: "site-2" }));
      expect(await other.statWith(token)).toBe("auth/token-not-yours");
      other.close();
    } finally {
      site.close();
    }
    expect(refusals()).toMatchObject([
      { code: "auth/token-not-yours" },
      { code: "auth/token-unknown" },
      { code: "auth/token-unknown" },
      { code: "auth/token-not-yours" },
    ]);
    // The token died with its connection.
    await expect.poll(() => server.authenticator.sessionsOf("site-1")).toEqual([]);
  });

  it("refuses the second of two processes with one kit, and leaves the first undisturbed", async () => {
    server = await startTestServer();
    const keys = server.project.issue({ name: "site-1" });
    const first = await server.dial("site-1", keys);
    await expect(server.dial("site-1", keys)).rejects.toMatchObject({ code: "auth/already-connected" });
    await first.stat({ hash, size: 1 });
    first.close();
    await expect.poll(() => server.authenticator.sessionsOf("site-1")).toEqual([]);
    await server.dial("site-1", keys);
  });

  it("lets a silent session's successor in, and closes the silent one", async () => {
    let nowMs = Date.now();
    server = await startTestServer({}, { now: () => nowMs });
    const keys = server.project.issue({ name: "site-1" });
    const silent = await server.dial("site-1", keys);
    nowMs += limits.silenceMs + 1;
    const next = await server.dial("site-1", keys);
    await silent.closed;
    await next.stat({ hash, size: 1 });
    expect(server.authenticator.sessionsOf("site-1")).toMatchObject([{ id: next.sessionId }]);
  });
});

/** A client below ours: plain calls with whatever token. */
function rawClient(server: TestServer, keys: ProjectKeys) {
  const credentials = ChannelCredentials.createSsl(
    Buffer.from(keys.trust.rootBundlePem),
    Buffer.from(keys.privateKeyPem),
    Buffer.from(keys.certificatePem),
  );
  const client = new Client(`localhost:${server.port}`, credentials, { "grpc.use_local_subchannel_pool": 1 });
  const call = async <Request, Reply>(
    method: { path: string; requestSerialize: (request: Request) => Buffer; responseDeserialize: (bytes: Buffer) => Reply },
    request: Request,
    metadata = new Metadata(),
  ): Promise<Reply> =>
    await new Promise((resolve, reject) => {
      client.makeUnaryRequest(method.path, method.requestSerialize, method.responseDeserialize, request, metadata, (error, reply) => {
        if (error === null && reply !== undefined) resolve(reply);
        else reject(fromWireStatus(error, "server"));
      });
    });
  return {
    registerByHand: async (name: string): Promise<string> => {
      const ticket = await registerSession(
        {
          challenge: async (request) => call(wireMethods.challenge, create(ChallengeRequestSchema, request)),
          register: async (request) => call(wireMethods.register, create(RegisterRequestSchema, request)),
          randomBytes,
          now: Date.now,
        },
        { keys, project: server.project.name, serverIdentity: "server-1", name, tlsFingerprint: () => undefined },
      );
      return ticket.token;
    },
    /** The code of the refusal, or nothing. */
    statWith: async (token: string | undefined): Promise<string | undefined> => {
      const metadata = new Metadata();
      if (token !== undefined) metadata.set(tokenKey, `Bearer ${token}`);
      try {
        await call(wireMethods.stat, create(StatRequestSchema, { object: { hash, size: 1n } }), metadata);
        return undefined;
      } catch (error) {
        return (error as FlareError).code;
      }
    },
    close: (): void => client.close(),
  };
}
