import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { Authenticator, type TokenCall } from "./authenticator.js";
import type { PeerConnection } from "./connection-binding.js";
import type { ProjectKeys } from "./project-keys.js";
import { registerSession, type SessionTicket } from "./register-session.js";
import { TestProject } from "./test-project.test-support.js";

const project = new TestProject("project-a");
const serverKeys = project.server();
const relayKeys = project.issue({ name: "relay-1", role: "relay" });
const method = "/flare.v1.Site/SubmitUpdate";
const relay = { name: "relay-1", chainPem: relayKeys.certificatePem };
const byRelay: PeerConnection = { id: "connection-1", address: "10.0.0.1:1", fingerprint: "of the relay", relay };
const another: PeerConnection = { ...byRelay, id: "connection-2", address: "10.0.0.1:2" };

describe("a session on the connection of a relay", () => {
  let authenticator: Authenticator;
  let ticket: SessionTicket;
  beforeEach(async () => {
    authenticator = open(() => true);
    ticket = await register("site-1", project.issue({ name: "site-1" }));
  });

  const claim = (body: string): TokenCall => {
    const { token, prover, sessionId } = ticket;
    const bytes = Buffer.from(body);
    return { token, method, body: bytes, proof: prover?.prove({ sessionId, method, body: bytes }) };
  };
  const call = (one: TokenCall, connection = byRelay): string => authenticator.authenticate(one.token, connection, ["client"], one).id;

  it("takes each call of its participant once, on that connection and no other", () => {
    const first = claim("an update");
    expect(call(first)).toBe(ticket.sessionId);
    expect(() => call(first)).toThrow(expect.objectContaining({ code: "auth/call-replayed" }));
    expect(() => call(claim("another"), another)).toThrow(expect.objectContaining({ code: "auth/token-not-yours" }));
  });

  it("takes nothing that the relay makes up or changes", () => {
    expect(() => call({ ...claim("an update"), body: Buffer.from("another") })).toThrow(
      expect.objectContaining({ code: "auth/proof-invalid" }),
    );
    expect(() => call({ ...claim("an update"), method: "/flare.v1.Session/End" })).toThrow(
      expect.objectContaining({ code: "auth/proof-invalid" }),
    );
    expect(() => call({ ...claim("an update"), proof: undefined })).toThrow(expect.objectContaining({ code: "auth/proof-missing" }));
  });

  it("ends with the connection", () => {
    authenticator.connectionClosed(byRelay.id);
    expect(() => call(claim("an update"))).toThrow(expect.objectContaining({ code: "auth/token-unknown" }));
  });

  it("is not opened without a key of its participant for it", async () => {
    await expect(register("site-2", project.issue({ name: "site-2" }), { isPerCall: false })).rejects.toMatchObject({
      code: "auth/security-mismatch",
    });
  });

  it("has to go for its relay's sake, and none is opened any more, when that may not take part", async () => {
    expect(authenticator.untrustedSessions()).toEqual([]);
    let isAllowed = true;
    authenticator = open(({ name }) => name !== "relay-1" || isAllowed);
    ticket = await register("site-1", project.issue({ name: "site-1" }));
    isAllowed = false;
    expect(authenticator.untrustedSessions()).toMatchObject([{ session: { id: ticket.sessionId }, isForRelay: true }]);
    await expect(register("site-2", project.issue({ name: "site-2" }))).rejects.toMatchObject({ code: "auth/not-allowed" });
  });

  it("is not opened by a relay of another project", async () => {
    const stranger = new TestProject("project-a").issue({ name: "relay-1", role: "relay" });
    const connection = { ...another, relay: { name: "relay-1", chainPem: stranger.certificatePem } };
    await expect(register("site-2", project.issue({ name: "site-2" }), { connection })).rejects.toMatchObject({
      code: "auth/certificate-untrusted",
    });
  });

  function open(isAllowed: (certificate: { readonly name: string }) => boolean): Authenticator {
    return new Authenticator({ audit: () => undefined, isAllowed }, { project: project.name, serverName: "server-1", keys: serverKeys });
  }

  async function register(
    name: string,
    keys: ProjectKeys,
    { connection = byRelay, isPerCall = true }: { readonly connection?: PeerConnection; readonly isPerCall?: boolean } = {},
  ): Promise<SessionTicket> {
    return await registerSession(
      {
        challenge: async (request) => authenticator.challenge(request, connection),
        register: async (request) => authenticator.register(request, connection).reply,
        randomBytes,
        now: Date.now,
      },
      { keys, project: project.name, serverIdentity: "server-1", name, tlsFingerprint: () => undefined, isPerCall },
    );
  }
});
