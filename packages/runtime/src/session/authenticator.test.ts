import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { ChallengeRequestSchema, RegisterRequestSchema, RenewReplySchema } from "@flare-ts/contracts/wire";
import { beforeEach, describe, expect, it } from "vitest";
import type { AuthEvent } from "./auth-event.js";
import { Authenticator } from "./authenticator.js";
import type { PeerConnection } from "./connection-binding.js";
import { fingerprintOf, type ProjectKeys } from "./project-keys.js";
import { registerSession, type SessionTicket } from "./register-session.js";
import { requestRenewal } from "./request-renewal.js";
import { TestProject } from "./test-project.test-support.js";

const project = new TestProject("project-a");
let serverKeys: ProjectKeys;
const day = 24 * 3_600_000;

describe("Authenticator", () => {
  let nowMs: number;
  let jumpMs: number;
  let events: AuthEvent[];
  let isAllowed: boolean;
  let authenticator: Authenticator;

  beforeEach(() => {
    nowMs = Date.now();
    jumpMs = 0;
    events = [];
    isAllowed = true;
    serverKeys = project.server();
    authenticator = new Authenticator(
      { audit: (event) => events.push(event), isAllowed: () => isAllowed, now: () => nowMs + jumpMs, steadyNow: () => nowMs },
      { project: project.name, serverName: "server-1", keys: serverKeys },
    );
  });

  let connections = 0;
  function connectionOf(keys: ProjectKeys): PeerConnection {
    connections += 1;
    return { id: `connection-${connections}`, address: `10.0.0.1:${connections}`, fingerprint: fingerprintOf(keys.certificate) };
  }

  /** Registers as a participant does; `tamper` changes the second step. */
  async function register(
    name: string,
    keys: ProjectKeys,
    connection = connectionOf(keys),
    tamper: (
      request: ReturnType<typeof create<typeof RegisterRequestSchema>>,
    ) => ReturnType<typeof create<typeof RegisterRequestSchema>> = (request) => request,
  ): Promise<SessionTicket> {
    return await registerSession(
      {
        challenge: async (request) => authenticator.challenge(request, connection),
        register: async (request) => authenticator.register(tamper(request), connection).reply,
        randomBytes,
        now: () => nowMs,
      },
      { keys, project: project.name, serverIdentity: "server-1", name, tlsFingerprint: () => fingerprintOf(serverKeys.certificate) },
    );
  }

  /** The only thing that a refusal leaves is its line in the audit. */
  function expectRefused(code: string): void {
    expect(events.at(-1)).toMatchObject({ kind: "refused", code });
    expect(events.filter(({ kind }) => kind === "registered")).toEqual([]);
  }

  it("opens a session for a certificate of the project, and knows its calls", async () => {
    const keys = project.issue({ name: "site-1", org: "clinic" });
    const connection = connectionOf(keys);
    const { sessionId, token } = await register("site-1", keys, connection);
    const session = authenticator.authenticate(token, connection, ["client"]);
    expect(session.id).toBe(sessionId);
    expect(session.identity).toEqual({
      name: "site-1",
      org: "clinic",
      role: "client",
      kind: "client",
      fingerprint: fingerprintOf(keys.certificate),
      chainPem: keys.certificatePem,
    });
    expect(events).toMatchObject([{ kind: "registered", name: "site-1", sessionId }]);
  });

  it("takes RSA keys, certificates with a client's usage, and admins by their role", async () => {
    await register("site-1", project.issue({ name: "site-1", keyType: "rsa" }));
    await register("site-2", project.issue({ name: "site-2", usage: "client" }));
    const keys = project.issue({ name: "ann@a.org", role: "project_admin" });
    const connection = connectionOf(keys);
    const { token } = await register("ann@a.org", keys, connection);
    expect(authenticator.authenticate(token, connection, ["admin"]).identity).toMatchObject({ kind: "admin", role: "project_admin" });
  });

  it("takes a role of the project's own for an admin's", async () => {
    await register("site-1", project.issue({ name: "site-1", keyType: "rsa" }));
    await register("site-2", project.issue({ name: "site-2", usage: "client" }));
    const keys = project.issue({ name: "ann@a.org", role: "auditor" });
    const connection = connectionOf(keys);
    const { token } = await register("ann@a.org", keys, connection);
    expect(authenticator.authenticate(token, connection, ["admin"]).identity).toMatchObject({ kind: "admin", role: "auditor" });
  });

  const other = new TestProject("project-b");
  const impostor = new TestProject("project-a");
  it.each([
    ["of another project", () => project.issue({ name: "site-1" }, other), "auth/certificate-untrusted"],
    ["of a root with the same name", () => project.issue({ name: "site-1" }, impostor), "auth/certificate-untrusted"],
    ["that expired", () => project.issue({ name: "site-1", validTo: new Date(Date.now() - 1000) }), "auth/certificate-expired"],
    [
      "that is not yet valid",
      () => project.issue({ name: "site-1", validFrom: new Date(Date.now() + 3_600_000) }),
      "auth/certificate-not-yet-valid",
    ],
    ["of somebody else", () => project.issue({ name: "site-2" }), "auth/name-mismatch"],
    ["of a server", () => project.issue({ name: "site-1", role: "server" }), "auth/certificate-usage"],
    ["with a server's usage", () => project.issue({ name: "site-1", usage: "server" }), "auth/certificate-usage"],
    ["without a role", () => project.issue({ name: "site-1", role: "" }), "auth/certificate-usage"],
    ["with an unknown role", () => project.issue({ name: "site-1", role: "emperor" }), "auth/certificate-usage"],
  ])("refuses a certificate %s", async (_what, keysOf, code) => {
    await expect(register("site-1", keysOf())).rejects.toMatchObject({ code });
    expectRefused(code);
  });

  it("refuses a certificate that expires while the server runs", async () => {
    const keys = project.issue({ name: "site-1" });
    nowMs += 2 * day;
    const connection = connectionOf(keys);
    const request = create(ChallengeRequestSchema, {
      protocolVersion: 1,
      project: project.name,
      identity: "site-1",
      clientNonce: randomBytes(32),
    });
    const { challengeId } = authenticator.challenge(request, connection);
    expect(() =>
      authenticator.register(create(RegisterRequestSchema, { challengeId, certificate: keys.certificatePem }), connection),
    ).toThrow(/expired/);
    expectRefused("auth/certificate-expired");
  });

  it("knows no token of a session whose participant was revoked, and registers nobody with such a certificate", async () => {
    const keys = project.issue({ name: "site-1" });
    const connection = connectionOf(keys);
    const { token, sessionId } = await register("site-1", keys, connection);
    const revoked = { name: "site-1", serials: [], revoked_at_ms: nowMs, reason: "keyCompromise" as const };
    serverKeys.trust.accept(project.trustList({ number: 1, revoked: [revoked] }));
    expect(authenticator.untrustedSessions()).toMatchObject([
      { session: { id: sessionId }, reason: expect.stringContaining("was revoked") },
    ]);
    authenticator.end(sessionId, "revoked");
    expect(authenticator.untrustedSessions()).toEqual([]);
    expect(() => authenticator.authenticate(token, connection, ["client"])).toThrow(
      expect.objectContaining({ code: "auth/token-unknown" }),
    );
    events = [];
    for (const old of [keys, project.issue({ name: "site-1" })])
      await expect(register("site-1", old)).rejects.toMatchObject({ code: "auth/certificate-revoked" });
    expectRefused("auth/certificate-revoked");
    await register(
      "site-1",
      project.issue({ name: "site-1", validFrom: new Date(nowMs + 1_000), validTo: new Date(nowMs + day) }),
      undefined,
      (request) => {
        nowMs += 2_000;
        return request;
      },
    );
  });

  it("refuses a certificate without its key", async () => {
    const stolen = project.issue({ name: "site-1" });
    const mine = project.issue({ name: "site-1" });
    await expect(register("site-1", { ...stolen, privateKey: mine.privateKey })).rejects.toMatchObject({ code: "auth/bad-signature" });
    expectRefused("auth/bad-signature");
  });

  it("refuses a signature over another registration", async () => {
    const keys = project.issue({ name: "site-1" });
    let recorded: Uint8Array | undefined;
    await register("site-1", keys, connectionOf(keys), (request) => {
      recorded = request.signature;
      return request;
    });
    authenticator.connectionClosed(authenticator.sessionsOf("site-1")[0]?.connection.id ?? "");
    events = [];
    const replay = (request: ReturnType<typeof create<typeof RegisterRequestSchema>>): typeof request => ({
      ...request,
      signature: recorded ?? request.signature,
    });
    await expect(register("site-1", keys, connectionOf(keys), replay)).rejects.toMatchObject({ code: "auth/bad-signature" });
    expectRefused("auth/bad-signature");
  });

  it("refuses a challenge that was answered before, or was given to another connection", async () => {
    const keys = project.issue({ name: "site-1" });
    const connection = connectionOf(keys);
    let recorded: ReturnType<typeof create<typeof RegisterRequestSchema>> | undefined;
    await register("site-1", keys, connection, (request) => {
      recorded = request;
      return request;
    });
    if (recorded === undefined) throw new Error("nothing was recorded");
    const replay = recorded;
    events = [];
    expect(() => authenticator.register(replay, connection)).toThrow(/not open/);
    expectRefused("auth/unknown-challenge");
    const request = create(ChallengeRequestSchema, {
      protocolVersion: 1,
      project: project.name,
      identity: "site-1",
      clientNonce: randomBytes(32),
    });
    const { challengeId } = authenticator.challenge(request, connection);
    expect(() => authenticator.register({ ...replay, challengeId }, connectionOf(keys))).toThrow(/not open/);
    // Taken out by the attempt: the owner cannot use it either.
    expect(() => authenticator.register({ ...replay, challengeId }, connection)).toThrow(/not open/);
  });

  it("refuses an answer that comes too late", async () => {
    const keys = project.issue({ name: "site-1" });
    const late = (request: ReturnType<typeof create<typeof RegisterRequestSchema>>): typeof request => {
      nowMs += 60_001;
      return request;
    };
    await expect(register("site-1", keys, connectionOf(keys), late)).rejects.toMatchObject({ code: "auth/challenge-expired" });
    expectRefused("auth/challenge-expired");
  });

  it("refuses a certificate that is not the one of the TLS handshake", async () => {
    const keys = project.issue({ name: "site-1" });
    const connection = connectionOf(project.issue({ name: "site-2" }));
    await expect(register("site-1", keys, connection)).rejects.toMatchObject({ code: "auth/certificate-untrusted" });
    expectRefused("auth/certificate-untrusted");
  });

  it("refuses another project, another version, a short nonce and a certificate that is none", () => {
    const keys = project.issue({ name: "site-1" });
    const connection = connectionOf(keys);
    const good = { protocolVersion: 1, project: project.name, identity: "site-1", clientNonce: randomBytes(32) };
    const challenge = (change: Partial<typeof good>): string =>
      authenticator.challenge(create(ChallengeRequestSchema, { ...good, ...change }), connection).challengeId;
    expect(() => challenge({ project: "project-b" })).toThrow(expect.objectContaining({ code: "auth/wrong-project" }));
    expect(() => challenge({ protocolVersion: 2 })).toThrow(expect.objectContaining({ code: "auth/protocol-version" }));
    expect(() => challenge({ clientNonce: randomBytes(8) })).toThrow(expect.objectContaining({ code: "transfer/protocol" }));
    const request = create(RegisterRequestSchema, { challengeId: challenge({}), certificate: "none" });
    expect(() => authenticator.register(request, connection)).toThrow(expect.objectContaining({ code: "auth/certificate-unreadable" }));
    expect(events.map((event) => event.kind)).toEqual(["refused", "refused", "refused", "refused"]);
  });

  it("does not gather challenges without bound", () => {
    const keys = project.issue({ name: "site-1" });
    const connection = connectionOf(keys);
    const request = create(ChallengeRequestSchema, {
      protocolVersion: 1,
      project: project.name,
      identity: "site-1",
      clientNonce: randomBytes(32),
    });
    for (let i = 0; i < 16; i++) authenticator.challenge(request, connection);
    expect(() => authenticator.challenge(request, connection)).toThrow(expect.objectContaining({ code: "auth/too-many-challenges" }));
    authenticator.challenge(request, connectionOf(keys));
    nowMs += 121_000;
    authenticator.challenge(request, connection);
  });

  it("refuses a token from another connection, an unknown one, an expired one, and one for another kind of call", async () => {
    const keys = project.issue({ name: "site-1" });
    const connection = connectionOf(keys);
    const { token } = await register("site-1", keys, connection);
    const codeOf = (call: () => unknown): unknown => {
      try {
        call();
      } catch (error) {
        return (error as { code: string }).code;
      }
      return undefined;
    };
    // The same certificate on another connection does not help: a copied token is worth nothing.
    expect(codeOf(() => authenticator.authenticate(token, connectionOf(keys), ["client"]))).toBe("auth/token-not-yours");
    expect(codeOf(() => authenticator.authenticate(`${token}x`, connection, ["client"]))).toBe("auth/token-unknown");
    expect(codeOf(() => authenticator.authenticate("", connection, ["client"]))).toBe("auth/token-unknown");
    expect(codeOf(() => authenticator.authenticate(token, connection, ["admin"]))).toBe("auth/wrong-kind");
    expect(codeOf(() => authenticator.authenticate(token, connection, ["client"]))).toBeUndefined();
    isAllowed = false;
    expect(authenticator.untrustedSessions()).toMatchObject([{ reason: "it may not take part any more" }]);
    expect(codeOf(() => authenticator.authenticate(token, connection, ["client"]))).toBe("auth/not-allowed");
    isAllowed = true;
    nowMs += 3_600_001;
    expect(codeOf(() => authenticator.authenticate(token, connection, ["client"]))).toBe("auth/token-expired");
    const refused = events.filter(({ kind }) => kind === "refused");
    expect(refused).toHaveLength(6);
    expect(refused[0]).toMatchObject({ step: "call", claimedName: "site-1" });
  });

  it("renews a session on its own connection, the old token living on to its end", async () => {
    const keys = project.issue({ name: "site-1" });
    const connection = connectionOf(keys);
    const first = await register("site-1", keys, connection);
    nowMs += 3_000_000;
    const second = await register("site-1", keys, connection);
    expect(second.sessionId).toBe(first.sessionId);
    expect(authenticator.authenticate(first.token, connection, ["client"]).id).toBe(first.sessionId);
    nowMs += 1_000_000;
    expect(() => authenticator.authenticate(first.token, connection, ["client"])).toThrow(/expired/);
    expect(authenticator.authenticate(second.token, connection, ["client"]).id).toBe(first.sessionId);
    expect(events.map(({ kind }) => kind)).toEqual(["registered", "renewed", "refused"]);
  });

  it.each([3_600_000, -3_600_000])("does not mind that its clock jumps by %i ms", async (jump) => {
    const keys = project.issue({ name: "site-1" });
    const first = connectionOf(keys);
    const { token, sessionId } = await register("site-1", keys, first);
    jumpMs = jump;
    expect(authenticator.authenticate(token, first, ["client"]).id).toBe(sessionId);
    await expect(register("site-1", keys)).rejects.toMatchObject({ code: "auth/already-connected" });
    nowMs += 20_001;
    expect((await register("site-1", keys)).sessionId).not.toBe(sessionId);
  });

  it("keeps the first of two processes with one kit, until it is silent or its connection closed", async () => {
    const keys = project.issue({ name: "site-1" });
    const first = connectionOf(keys);
    const { token, sessionId } = await register("site-1", keys, first);
    await expect(register("site-1", keys)).rejects.toMatchObject({ code: "auth/already-connected", row: { isRetryable: true } });
    nowMs += 19_000;
    authenticator.touch(sessionId);
    nowMs += 19_000;
    await expect(register("site-1", keys)).rejects.toMatchObject({ code: "auth/already-connected" });
    expect(authenticator.authenticate(token, first, ["client"]).id).toBe(sessionId);
    nowMs += 20_001;
    const second = connectionOf(keys);
    const next = await register("site-1", keys, second);
    expect(() => authenticator.authenticate(token, first, ["client"])).toThrow(/no token/);
    authenticator.connectionClosed(second.id);
    expect(authenticator.session(next.sessionId)).toBeUndefined();
    await register("site-1", keys);
  });

  it("does not renew for the name in a certificate that hides before the one of the connection", async () => {
    const keys = project.issue({ name: "site-1" });
    const connection = connectionOf(keys);
    const forged = impostor.issue({ name: "server-1", role: "server" });
    const certificatePem = forged.certificatePem.replaceAll("CERTIFICATE", "X509 CERTIFICATE") + keys.certificatePem;
    const asking = requestRenewal(
      {
        challenge: async (request) => authenticator.challenge(request, connection),
        renew: async (request) => {
          authenticator.proveRenewal(request, connection);
          return create(RenewReplySchema);
        },
        randomBytes,
        now: () => nowMs,
      },
      {
        keys: { ...keys, certificatePem, privateKey: forged.privateKey },
        project: project.name,
        serverIdentity: "server-1",
        name: "site-1",
        tlsFingerprint: () => fingerprintOf(serverKeys.certificate),
      },
      "a request",
    );
    await expect(asking).rejects.toMatchObject({ code: "auth/certificate-unreadable" });
    expectRefused("auth/certificate-unreadable");
  });

  it("lets an admin have several sessions", async () => {
    const keys = project.issue({ name: "ann@a.org", role: "lead" });
    await register("ann@a.org", keys);
    await register("ann@a.org", keys);
    expect(authenticator.sessionsOf("ann@a.org")).toHaveLength(2);
  });

  it("ends tokens with their connection, and says so once", async () => {
    const keys = project.issue({ name: "site-1" });
    const connection = connectionOf(keys);
    const { token } = await register("site-1", keys, connection);
    authenticator.connectionClosed(connection.id);
    authenticator.connectionClosed(connection.id);
    expect(() => authenticator.authenticate(token, connection, ["client"])).toThrow(/no token/);
    expect(events.filter(({ kind }) => kind === "ended")).toHaveLength(1);
  });

  describe("as a site sees it", () => {
    async function registerAt(server: ProjectKeys, serverName = "server-1", tlsFingerprint?: string): Promise<SessionTicket> {
      const keys = project.issue({ name: "site-1" });
      const connection = connectionOf(keys);
      const theirs = new Authenticator({ audit: () => undefined }, { project: project.name, serverName, keys: server });
      return await registerSession(
        {
          challenge: async (request) => theirs.challenge(request, connection),
          register: async (request) => theirs.register(request, connection).reply,
          randomBytes,
          now: () => nowMs,
        },
        { keys, project: project.name, serverIdentity: "server-1", name: "site-1", tlsFingerprint: () => tlsFingerprint },
      );
    }

    it.each([
      ["of another project", () => project.issue({ name: "server-1", role: "server" }, impostor)],
      ["of a site", () => project.issue({ name: "server-1", role: "client" })],
      ["with another name", () => project.issue({ name: "server-2", role: "server" })],
      ["that expired", () => project.issue({ name: "server-1", role: "server", validTo: new Date(Date.now() - 1000) })],
    ])("does not trust a server with a certificate %s", async (_what, keysOf) => {
      await expect(registerAt(keysOf())).rejects.toMatchObject({ code: "auth/server-untrusted" });
    });

    it("does not trust a server without the key of its certificate", async () => {
      await expect(registerAt({ ...serverKeys, privateKey: project.server().privateKey })).rejects.toMatchObject({
        code: "auth/server-untrusted",
      });
    });

    it("does not trust a server that speaks for another name, or behind another certificate of TLS", async () => {
      await expect(registerAt(serverKeys, "server-2")).rejects.toMatchObject({ code: "auth/server-untrusted" });
      await expect(registerAt(serverKeys, "server-1", "00".repeat(32))).rejects.toMatchObject({ code: "auth/server-untrusted" });
    });
  });
});
