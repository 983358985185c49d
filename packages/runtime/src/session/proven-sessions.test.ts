import { randomBytes } from "node:crypto";
import type { RegisterRequest } from "@flare-ts/contracts/wire";
import { beforeEach, describe, expect, it } from "vitest";
import type { AuthEvent } from "./auth-event.js";
import { Authenticator, type TokenCall } from "./authenticator.js";
import { CallProofBinding, type PeerConnection } from "./connection-binding.js";
import type { ProjectKeys } from "./project-keys.js";
import { registerSession, type SessionTicket } from "./register-session.js";
import { TestProject } from "./test-project.test-support.js";

const project = new TestProject("project-a");
const serverKeys = project.server();
const method = "/flare.v1.Session/Register";

describe("sessions whose calls are proven one by one", () => {
  let nowMs: number;
  let events: AuthEvent[];
  let authenticator: Authenticator;
  beforeEach(() => {
    nowMs = Date.now();
    events = [];
    authenticator = new Authenticator(
      { audit: (event) => events.push(event), binding: new CallProofBinding(), now: () => nowMs },
      { project: project.name, serverName: "server-1", keys: serverKeys },
    );
  });

  let connections = 0;
  /** A connection of the proxy, another one for each call. */
  function anyConnection(): PeerConnection {
    connections += 1;
    return { id: `connection-${connections}`, address: `10.0.0.1:${connections}`, fingerprint: undefined };
  }

  async function register(
    name: string,
    keys: ProjectKeys,
    claimOf: (request: RegisterRequest) => TokenCall | undefined = () => undefined,
  ): Promise<SessionTicket> {
    return await registerSession(
      {
        challenge: async (request) => authenticator.challenge(request, anyConnection()),
        register: async (request) => authenticator.register(request, anyConnection(), claimOf(request)).reply,
        randomBytes,
        now: () => nowMs,
      },
      { keys, project: project.name, serverIdentity: "server-1", name, tlsFingerprint: () => undefined, isPerCall: true },
    );
  }

  it.each(["X509 CERTIFICATE", "TRUSTED CERTIFICATE"])(
    "are not opened with the key of a certificate that hides before the good one as %s, on either side",
    async (label) => {
      const site = project.issue({ name: "site-1" });
      const stranger = new TestProject("elsewhere").issue({ name: "stranger" });
      const disguised = (behind: ProjectKeys): ProjectKeys => ({
        ...behind,
        certificatePem: stranger.certificatePem.replaceAll("CERTIFICATE", label) + behind.certificatePem,
        privateKey: stranger.privateKey,
      });
      await expect(register("site-1", disguised(site))).rejects.toMatchObject({ code: "auth/certificate-unreadable" });
      expect(authenticator.sessionsOf("site-1")).toEqual([]);
      authenticator = new Authenticator(
        { audit: (event) => events.push(event), binding: new CallProofBinding(), now: () => nowMs },
        { project: project.name, serverName: "server-1", keys: { ...disguised(serverKeys), certificate: stranger.certificate } },
      );
      await expect(register("site-1", site)).rejects.toMatchObject({ code: "auth/certificate-unreadable" });
    },
  );

  const claimOf = ({ token, prover, sessionId }: SessionTicket): TokenCall => {
    const body = Buffer.from("the request");
    return { token, method, body, proof: prover?.prove({ sessionId, method, body }) };
  };

  const call = (ticket: SessionTicket): string => {
    const claim = claimOf(ticket);
    return authenticator.authenticate(claim.token, anyConnection(), ["client", "admin"], claim).id;
  };

  it("go on over whatever connections, and do not end with any", async () => {
    const ticket = await register("site-1", project.issue({ name: "site-1" }));
    expect(call(ticket)).toBe(ticket.sessionId);
    for (let i = 1; i <= connections; i++) authenticator.connectionClosed(`connection-${i}`);
    expect(call(ticket)).toBe(ticket.sessionId);
  });

  it("are renewed by a registration that carries their token and proof; the old token lives on with its own proofs", async () => {
    const keys = project.issue({ name: "site-1" });
    const first = await register("site-1", keys);
    const second = await register("site-1", keys, () => claimOf(first));
    expect(second.sessionId).toBe(first.sessionId);
    expect(second.token).not.toBe(first.token);
    expect([call(first), call(second)]).toEqual([first.sessionId, first.sessionId]);
    // The key of one token proves nothing of the other.
    const mixed = { ...claimOf(second), token: first.token };
    expect(() => authenticator.authenticate(first.token, anyConnection(), ["client"], mixed)).toThrow(
      expect.objectContaining({ code: "auth/proof-invalid" }),
    );
    expect(events.map(({ kind }) => kind)).toEqual(["registered", "renewed", "refused"]);
  });

  it("are not renewed by a second process of the kit, nor by a participant of another name", async () => {
    const keys = project.issue({ name: "site-1" });
    const first = await register("site-1", keys);
    await expect(register("site-1", keys)).rejects.toMatchObject({ code: "auth/already-connected" });
    await expect(register("site-1", keys, () => ({ ...claimOf(first), proof: undefined }))).rejects.toMatchObject({
      code: "auth/proof-missing",
    });
    await expect(register("site-2", project.issue({ name: "site-2" }), () => claimOf(first))).rejects.toMatchObject({
      code: "auth/name-mismatch",
    });
    expect(call(first)).toBe(first.sessionId);
    nowMs += 20_001;
    expect((await register("site-1", keys)).sessionId).not.toBe(first.sessionId);
  });

  it("of admins are silent when no call was made for long, whether their token was renewed or not", async () => {
    const keys = project.issue({ name: "ann@a.org", role: "lead" });
    const first = await register("ann@a.org", keys);
    nowMs += 10 * 60_000;
    call(first);
    nowMs += 10 * 60_000;
    expect(authenticator.silentSessions()).toEqual([]);
    const second = await register("ann@a.org", keys, () => claimOf(first));
    nowMs += 5 * 60_000 + 1;
    expect(authenticator.silentSessions().map(({ id }) => id)).toEqual([first.sessionId]);
    call(second);
    expect(authenticator.silentSessions()).toEqual([]);
  });

  it("of sites are silent after the time of silence", async () => {
    const site = await register("site-1", project.issue({ name: "site-1" }));
    nowMs += 20_001;
    expect(authenticator.silentSessions().map(({ id }) => id)).toEqual([site.sessionId]);
    authenticator.touch(site.sessionId);
    expect(authenticator.silentSessions()).toEqual([]);
  });
});
