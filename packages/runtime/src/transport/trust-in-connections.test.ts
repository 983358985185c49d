import { create } from "@bufbuild/protobuf";
import type { ContentHash, FlareError, Revocation } from "@flare-ts/contracts";
import { HeartbeatSchema, ServerMessageSchema } from "@flare-ts/contracts/wire";
import { afterEach, describe, expect, it } from "vitest";
import type { ProjectKeys } from "../session/project-keys.js";
import { TestProject } from "../session/test-project.test-support.js";
import type { Connection, ServerHandlers } from "./connection.js";
import { dialServer } from "./dial-server.js";
import { startTestServer, type TestServer, type TestWay } from "./test-server.test-support.js";

const object = { hash: "ef".repeat(32) as ContentHash, size: 1 };
const ways: readonly TestWay[] = ["mtls", "tls", "clear", "proxy"];

let server: TestServer;

afterEach(async () => {
  await server.stop();
});

/** A connection whose control stream is open at both ends. */
async function attached(name: string, keys?: ProjectKeys): Promise<Connection> {
  const connection = await server.dial(name, keys);
  const first = Promise.withResolvers<void>();
  connection.attach(() => first.resolve());
  await first.promise;
  return connection;
}

/** Greets whoever attaches. */
const greeting: Partial<ServerHandlers> = {
  attach: (_context, send) => {
    void send(create(ServerMessageSchema, { message: { case: "heartbeat", value: create(HeartbeatSchema) } }));
    return { onMessage: () => undefined, onClose: () => undefined };
  },
};

/** Puts a list into force at the server, and ends what it no longer trusts, as the server does. */
function revoke(name: string, change: Partial<Revocation> = {}): void {
  const revoked: Revocation = { name, serials: [], revoked_at_ms: Date.now(), reason: "keyCompromise", ...change };
  server.keys.trust.accept(server.project.trustList({ number: server.keys.trust.number + 1, revoked: [revoked] }));
  for (const { session, reason } of server.authenticator.untrustedSessions()) server.transport.disconnect(session.id, reason);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "ok",
    (error: unknown) => (error as FlareError).code,
  );
}

describe.each(ways)("over %s, a participant that is revoked", (way) => {
  it("loses its session and its calls under way, cannot register again, and others go on", async () => {
    server = await startTestServer(greeting, { way });
    const [one, other] = [await attached("site-1"), await server.dial("site-2")];
    revoke("site-1");
    expect(await one.closed).toContain("was revoked");
    expect(await codeOf(one.stat(object))).toBe("transfer/disconnected");
    expect(await codeOf(other.stat(object))).toBe("ok");
    expect(server.authenticator.sessionsOf("site-1")).toEqual([]);
    expect(server.events).toContainEqual(
      expect.objectContaining({ kind: "ended", name: "site-1", reason: expect.stringContaining("revoked") }),
    );
    const before = server.project.issue({ name: "site-1", validFrom: new Date(Date.now() - 3_600_000) });
    expect(await codeOf(server.dial("site-1", before))).toBe("auth/certificate-revoked");
  });

  it("is let in with a certificate that is younger than the revocation", async () => {
    server = await startTestServer(greeting, { way });
    revoke("site-1", { revoked_at_ms: Date.now() - 60_000 });
    const young = server.project.issue({ name: "site-1", validFrom: new Date(Date.now() - 30_000) });
    const connection = await attached("site-1", young);
    revoke("site-1", { revoked_at_ms: Date.now() - 60_000 });
    expect(await codeOf(connection.stat(object))).toBe("ok");
    revoke("nobody", { serials: [young.certificate.serialNumber] });
    await connection.closed;
    expect(await codeOf(server.dial("site-1", young))).toBe("auth/certificate-revoked");
  });
});

describe.each(ways)("over %s, certificates", (way) => {
  it("may come by intermediates at both ends, within what those may issue", async () => {
    const project = new TestProject("test-project");
    const issuing = project.intermediate({ name: "server-1", role: "issuer:client,server,relay" });
    server = await startTestServer(
      {},
      { way, testProject: project, keys: project.issue({ name: "server-1", role: "server", usage: "server" }, issuing) },
    );
    const site = await server.dial("site-1", project.issue({ name: "site-1" }, issuing));
    expect(await codeOf(site.stat(object))).toBe("ok");
    const admin = project.issue({ name: "ann@a.org", role: "project_admin" }, issuing);
    expect(await codeOf(server.dial("ann@a.org", admin))).toBe("auth/certificate-untrusted");
    expect(server.events.at(-1)).toMatchObject({ kind: "refused", reason: expect.stringContaining("may not give") });
    const stale = project.intermediate({ name: "stale", role: "issuer:client", validTo: new Date(Date.now() - 1_000) });
    const expected = way === "mtls" ? "auth/tls-refused" : "auth/certificate-expired";
    expect(await codeOf(server.dial("site-2", project.issue({ name: "site-2" }, stale)))).toBe(expected);
  });

  it("may be of two roots of one name that are trusted side by side", async () => {
    const [old, next] = [new TestProject("test-project"), new TestProject("test-project")];
    const trusting = (keys: ProjectKeys): ProjectKeys => {
      keys.trust.accept(old.trustList({ number: 1, roots: [next.rootCaPem, old.rootCaPem] }));
      return keys;
    };
    server = await startTestServer(greeting, { way, testProject: old, keys: trusting(old.server()) });
    for (const issuer of [old, next]) {
      const name = issuer === old ? "site-1" : "site-2";
      expect(await codeOf(server.dial(name, trusting(old.issue({ name }, issuer))))).toBe("ok");
    }
  });

  it("of a server that is revoked are not accepted", async () => {
    server = await startTestServer(greeting, { way });
    const keys = server.project.issue({ name: "site-1" });
    const revoked: Revocation = { name: "server-1", serials: [], revoked_at_ms: Date.now(), reason: "keyCompromise" };
    keys.trust.accept(server.project.trustList({ number: 1, revoked: [revoked] }));
    await expect(dialServer(server.dialInit("site-1", keys))).rejects.toMatchObject({
      code: "auth/server-untrusted",
      message: expect.stringContaining("was revoked"),
    });
  });
});
