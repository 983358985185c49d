import { once } from "node:events";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ContentHash, type FlareError, limits } from "@flare-ts/contracts";
import {
  ChallengeReplySchema,
  ChallengeRequestSchema,
  RenewReplySchema,
  SignedCommandSchema,
  type SiteMessage,
  SiteMessageSchema,
  SubmitUpdateReplySchema,
  SubmitUpdateRequestSchema,
} from "@flare-ts/contracts/wire";
import { afterEach, describe, expect, it } from "vitest";
import { LiveIdentity } from "../identity/live-identity.js";
import { fingerprintOf } from "../session/project-keys.js";
import { makeKeyShare } from "../session/session-secret.js";
import { TestProject } from "../session/test-project.test-support.js";
import type { Chunk, Connection, ServerHandlers } from "./connection.js";
import { dialServer } from "./dial-server.js";
import type { CapturedCall } from "./terminating-proxy.test-support.js";
import { startTestServer, type TestServer, type TestServerInit } from "./test-server.test-support.js";

const hash = "ef".repeat(32) as ContentHash;
const hour = 3_600_000;
/** For a machine that is busy with other things. */
const patience = { timeout: 20_000 };

let server: TestServer;
afterEach(async () => {
  await server.stop();
});

async function start(handlers: Partial<ServerHandlers> = {}, init: Parameters<typeof startTestServer>[1] = {}): Promise<TestServer> {
  server = await startTestServer(handlers, { ...init, way: "proxy" });
  return server;
}

function refusals(): unknown[] {
  return server.events.filter(({ kind }) => kind === "refused").map((event) => ("code" in event ? event.code : ""));
}

function lastCall(path: string): CapturedCall {
  const call = server.proxy.captured.findLast((captured) => captured.path.endsWith(path));
  if (call === undefined) throw new Error(`nothing was captured of ${path}`);
  return call;
}

describe("behind a proxy that ends TLS", () => {
  it("a session is spread over connections that others share", async () => {
    await start();
    const [first, second] = [await server.dial("site-1"), await server.dial("site-2")];
    for (let i = 0; i < 4; i++) await Promise.all([first.stat({ hash, size: 1 }), second.stat({ hash, size: 1 })]);
    expect(server.proxy.upstreamCount).toBe(2);
    expect(refusals()).toEqual([]);
  });

  describe("an attack is refused with its own code and changes nothing", () => {
    /** Expects that `code` was the only refusal, and that the session still is what it was. */
    async function expectOnly(code: string, site: Connection): Promise<void> {
      expect(refusals()).toEqual([code]);
      expect(server.authenticator.sessionsOf("site-1").map(({ id }) => id)).toEqual([site.sessionId]);
      await site.stat({ hash, size: 1 });
      expect(server.events.map(({ kind }) => kind).filter((kind) => kind === "ended")).toEqual([]);
    }

    it.each(["same connection", "another connection"] as const)("a captured registration, from the %s", async (where) => {
      await start();
      const site = await server.dial("site-1");
      expect(await server.proxy.replay(lastCall("Register"), where)).toBe("auth/unknown-challenge");
      await expectOnly("auth/unknown-challenge", site);
    });

    it.each(["same connection", "another connection"] as const)("a captured call, byte for byte, from the %s", async (where) => {
      let count = 0;
      await start({
        submitUpdate: async () => {
          count += 1;
          return create(SubmitUpdateReplySchema);
        },
      });
      const site = await server.dial("site-1");
      await site.submitUpdate(create(SubmitUpdateRequestSchema, { weight: 2 }));
      for (let i = 0; i < 10; i++) await site.stat({ hash, size: 1 });
      expect(await server.proxy.replay(lastCall("SubmitUpdate"), where)).toBe("auth/call-replayed");
      expect(count).toBe(1);
      await expectOnly("auth/call-replayed", site);
    });

    it("a token without a proof", async () => {
      await start();
      const site = await server.dial("site-1");
      await site.stat({ hash, size: 1 });
      const { "flare-call-proof": _proof, ...headers } = lastCall("Stat").headers;
      expect(await server.proxy.replay({ ...lastCall("Stat"), headers }, "another connection")).toBe("auth/proof-missing");
      await expectOnly("auth/proof-missing", site);
    });

    it("a token with the proof of another session", async () => {
      await start();
      const [site, other] = [await server.dial("site-1"), await server.dial("site-2")];
      await site.stat({ hash, size: 1 });
      const mine = lastCall("Stat");
      for (let i = 0; i < 5; i++) await other.stat({ hash, size: 1 });
      const headers = { ...mine.headers, "flare-call-proof": lastCall("Stat").headers["flare-call-proof"] };
      expect(await server.proxy.replay({ ...mine, headers }, "same connection")).toBe("auth/proof-invalid");
      await expectOnly("auth/proof-invalid", site);
    });

    it.each<[string, (call: CapturedCall) => CapturedCall]>([
      ["a changed message", (call) => ({ ...call, body: bodyWith(call.body, changedWeight) })],
      ["another method", (call) => ({ ...call, headers: { ...call.headers, ":path": "/flare.v1.Transfer/Stat" } })],
      [
        "another number",
        (call) => ({ ...call, headers: { ...call.headers, "flare-call-proof": `9${String(call.headers["flare-call-proof"])}` } }),
      ],
    ])("a call that a proxy gives %s", async (_what, change) => {
      const handled: string[] = [];
      await start(
        {
          submitUpdate: async () => {
            handled.push("update");
            return create(SubmitUpdateReplySchema);
          },
        },
        { proxy: { onCall: (call) => (call.path.endsWith("SubmitUpdate") ? change(call) : call) } },
      );
      const site = await server.dial("site-1");
      await expect(site.submitUpdate(create(SubmitUpdateRequestSchema, { weight: 2 }))).rejects.toMatchObject({
        code: "auth/proof-invalid",
      });
      expect(handled).toEqual([]);
      await expectOnly("auth/proof-invalid", site);
    });

    it.each<[string, TestServerInit["proxy"]]>([
      [
        "the participant's",
        {
          onCall: (call) => {
            if (!call.path.endsWith("Challenge")) return call;
            const body = bodyWith(call.body, (message) => {
              const request = fromBinary(ChallengeRequestSchema, message);
              return toBinary(ChallengeRequestSchema, { ...request, clientKeyShare: makeKeyShare().publicKey });
            });
            return { ...call, body };
          },
        },
      ],
      [
        "the server's",
        {
          onReply: (path, body) => {
            if (!path.endsWith("Challenge")) return body;
            return bodyWith(body, (message) => {
              const reply = fromBinary(ChallengeReplySchema, message);
              return toBinary(ChallengeReplySchema, { ...reply, serverKeyShare: makeKeyShare().publicKey });
            });
          },
        },
      ],
      [
        "the server's, by none at all",
        {
          onReply: (path, body) => {
            if (!path.endsWith("Challenge")) return body;
            return bodyWith(body, (message) => {
              return toBinary(ChallengeReplySchema, { ...fromBinary(ChallengeReplySchema, message), serverKeyShare: new Uint8Array() });
            });
          },
        },
      ],
    ])("a proxy that puts its own key in place of %s", async (_whose, proxy) => {
      await start({}, { proxy });
      await expect(server.dial("site-1")).rejects.toMatchObject({ code: "auth/server-untrusted" });
      expect(server.authenticator.sessionsOf("site-1")).toEqual([]);
    });

    const other = new TestProject("elsewhere");
    it.each([
      ["that expired", { validTo: new Date(Date.now() - 1000) }, undefined, "auth/certificate-expired"],
      ["that is not yet valid", { validFrom: new Date(Date.now() + hour) }, undefined, "auth/certificate-not-yet-valid"],
      ["of another root", {}, other, "auth/certificate-untrusted"],
    ] as const)("a certificate %s", async (_what, validity, issuer, code) => {
      await start();
      const site = await server.dial("site-1");
      const keys = server.project.issue({ name: "site-2", ...validity }, issuer);
      await expect(server.dial("site-2", keys)).rejects.toMatchObject({ code });
      expect(server.authenticator.sessionsOf("site-2")).toEqual([]);
      await expectOnly(code, site);
    });

    it("a participant of another project, and one that expects TLS to end at the server", async () => {
      await start();
      const init = server.dialInit("site-1");
      await expect(dialServer({ ...init, project: "elsewhere" })).rejects.toMatchObject({ code: "auth/wrong-project" });
      const direct = { ...init, port: server.serverPort, connectionSecurity: "mtls" as const };
      await expect(dialServer(direct)).rejects.toMatchObject({ code: "auth/security-mismatch" });
      expect(refusals()).toEqual(["auth/wrong-project", "auth/security-mismatch"]);
    });

    it("a proxy whose certificate does not carry the name, or is of a root that the kit does not know", async () => {
      await start();
      const init = server.dialInit("site-1");
      const named = dialServer({ ...init, host: "127.0.0.1" });
      await expect(named).rejects.toMatchObject({ code: "auth/tls-refused", message: expect.stringContaining("127.0.0.1") as string });
      const rooted = dialServer({ ...init, customRootCaPem: server.project.rootCaPem });
      await expect(rooted).rejects.toMatchObject({
        code: "auth/tls-refused",
        message: expect.stringContaining("customRootCA.pem") as string,
      });
      const without = dialServer({ ...init, customRootCaPem: undefined });
      await expect(without).rejects.toMatchObject({
        code: "auth/tls-refused",
        message: expect.stringContaining("custom_ca_cert") as string,
      });
    });
  });

  it("the address that the proxy gives stands in the audit as a claim, cut to size", async () => {
    await start(
      {},
      { proxy: { onCall: (call) => ({ ...call, headers: { ...call.headers, "x-forwarded-for": `198.51.100.1, ${"x".repeat(2000)}` } }) } },
    );
    await server.dial("site-1");
    const [event] = server.events;
    expect(event).toMatchObject({
      kind: "registered",
      address: expect.stringMatching(/^(127\.0\.0\.1|::1|::ffff:127\.0\.0\.1):\d+$/) as string,
    });
    expect(event?.claimedAddress).toMatch(/^198\.51\.100\.1, x+$/);
    expect(event?.claimedAddress).toHaveLength(500);
  });

  describe("a session", () => {
    it("is cut with every call that it has, in time, and no other with it", async () => {
      const ended: string[] = [];
      await start({
        attach: () => ({ onMessage: () => undefined, onClose: () => void ended.push("attach") }),
        submitUpdate: async ({ signal }) => {
          await once(signal, "abort");
          ended.push("update");
          throw signal.reason;
        },
        upload: async (_context, _object, chunks) => {
          try {
            for await (const _chunk of chunks);
          } finally {
            ended.push("upload");
          }
          return { isComplete: false, durableOffset: 0 };
        },
        download: async function* () {
          try {
            for (;;) yield { offset: 0, data: Buffer.alloc(1 << 20) };
          } finally {
            ended.push("download");
          }
        },
      });
      const [site, neighbour] = [await server.dial("site-1"), await server.dial("site-2")];
      const outcomes: Promise<unknown>[] = [];
      const failing = (work: Promise<unknown>): void => void outcomes.push(work.catch((error: FlareError) => error.row.isRetryable));
      site.attach(() => undefined);
      neighbour.attach(() => undefined);
      failing(site.submitUpdate(create(SubmitUpdateRequestSchema)));
      failing(site.upload(endless()));
      // One that takes nothing more: its flow control must not hold the end up.
      const stalled = site.download({ hash, size: 1e12 }, 0)[Symbol.asyncIterator]();
      await stalled.next();
      const others = neighbour.upload(endless()).catch((error: FlareError) => error.code);
      await expect.poll(async () => (await site.stat({ hash, size: 1 })).isComplete, patience).toBe(false);
      const began = performance.now();
      server.transport.disconnect(site.sessionId, "revoked");
      expect(await site.closed).toContain("revoked");
      expect(await Promise.all(outcomes)).toEqual([true, true]);
      await expect.poll(() => ended.toSorted(), patience).toEqual(["attach", "download", "update", "upload"]);
      await stalled.return?.(undefined);
      expect(performance.now() - began).toBeLessThan(2_000);
      await neighbour.stat({ hash, size: 1 });
      expect(server.authenticator.sessionsOf("site-2")).toHaveLength(1);
      neighbour.close();
      expect(await others).toBe("transfer/disconnected");
    });

    it("is cut although its participant neither reads nor answers", async () => {
      let left = 0;
      let sent = 0;
      await start({
        download: async function* () {
          try {
            for (;;) {
              yield { offset: 0, data: Buffer.alloc(1 << 20) };
              sent += 1;
            }
          } finally {
            left += 1;
          }
        },
      });
      const site = await server.dial("site-1");
      const stalled = site.download({ hash, size: 1e12 }, 0)[Symbol.asyncIterator]();
      await stalled.next();
      // Until every window and buffer is full, so that not even the end of the call could get through.
      let before = -1;
      await expect.poll(() => before === (before = sent), { ...patience, interval: 200 }).toBe(true);
      expect(server.proxy.openCalls).toBe(1);
      server.transport.disconnect(site.sessionId, "revoked");
      await expect.poll(() => left, patience).toBe(1);
      await expect.poll(() => server.proxy.openCalls, patience).toBe(0);
      // What lies in the windows is read, then comes the end.
      await expect(drain(stalled)).rejects.toMatchObject({ row: { isRetryable: true } });
    });

    it("gives up a download that its participant does not read, and keeps nothing of it", async () => {
      let left = 0;
      await start(
        {
          download: async function* () {
            try {
              for (;;) yield { offset: 0, data: Buffer.alloc(1 << 20) };
            } finally {
              left += 1;
            }
          },
        },
        { stallMs: 500 },
      );
      const site = await server.dial("site-1");
      const stalled = site.download({ hash, size: 1e12 }, 0)[Symbol.asyncIterator]();
      await stalled.next();
      await expect.poll(() => left, patience).toBe(1);
      await expect.poll(() => server.proxy.openCalls, patience).toBe(0);
      await expect(drain(stalled)).rejects.toMatchObject({ row: { isRetryable: true } });
      await site.stat({ hash, size: 1 });
    });

    it("gives up downloads whose last chunks are not read either", async () => {
      const download: ServerHandlers["download"] = async function* (_context, { size }) {
        for (let at = 0; at < size; at += 1 << 20) yield { offset: at, data: Buffer.alloc(1 << 20) };
      };
      await start({ download }, { stallMs: 2_000 });
      const site = await dialServer({ ...server.dialInit("site-1"), windowBytes: 65_535 });
      // Of some of them the server has handed over all, which waits for room on the way.
      const stalled = Array.from({ length: 12 }, (_, at) => site.download({ hash, size: (at + 1) << 20 }, 0)[Symbol.asyncIterator]());
      await Promise.all(stalled.map(async (one) => await one.next()));
      await expect.poll(() => server.proxy.openCalls, patience).toBe(0);
      const ends = await Promise.allSettled(stalled.map(drain));
      expect(ends.at(-1)).toMatchObject({ status: "rejected", reason: { row: { isRetryable: true } } });
      site.close();
    });

    it("of a site ends with its control stream, and the next process of the kit may come", async () => {
      const heard: string[] = [];
      await start({
        attach: () => ({ onMessage: ({ message }) => void heard.push(message.case ?? ""), onClose: () => void heard.push("closed") }),
      });
      const site = await server.dial("site-1");
      await site.attach(() => undefined).write(heartbeat());
      await expect.poll(() => heard, patience).toEqual(["heartbeat"]);
      await expect(server.dial("site-1")).rejects.toMatchObject({ code: "auth/already-connected" });
      await site.stat({ hash, size: 1 });
      site.close();
      await expect.poll(() => server.authenticator.sessionsOf("site-1"), patience).toEqual([]);
      await server.dial("site-1");
    });

    it("of a site is over at both ends when the proxy's connection with its control stream breaks", async () => {
      const heard: string[] = [];
      await start({ attach: () => ({ onMessage: () => void heard.push("message"), onClose: () => void heard.push("closed") }) });
      const site = await server.dial("site-1");
      await site.attach(() => undefined).write(heartbeat());
      await expect.poll(() => heard, patience).toEqual(["message"]);
      server.proxy.cutUpstreams();
      await site.closed;
      await expect.poll(() => server.authenticator.sessionsOf("site-1"), patience).toEqual([]);
      await server.dial("site-1");
    });

    it("goes on with another certificate, which is asked for with the key of the old one", async () => {
      const asked: string[] = [];
      await start({
        attach: () => ({ onMessage: () => undefined, onClose: () => undefined }),
        renew: async ({ subject, csrPem }) => {
          asked.push(`${subject.commonName} ${csrPem}`);
          return create(RenewReplySchema, { isPending: true });
        },
      });
      const keys = new LiveIdentity({ keys: server.project.issue({ name: "site-1" }) });
      const site = await server.dial("site-1", keys);
      site.attach(() => undefined);
      expect(await site.renewCertificate("a request")).toMatchObject({ isPending: true });
      expect(asked).toEqual(["site-1 a request"]);
      expect(await server.proxy.replay(lastCall("Renew"), "another connection")).toBe("auth/unknown-challenge");
      keys.replace(server.project.issue({ name: "site-1" }));
      await site.registerAgain();
      await site.stat({ hash, size: 1 });
      expect(server.authenticator.sessionsOf("site-1")).toMatchObject([
        { id: site.sessionId, identity: { fingerprint: fingerprintOf(keys.certificate) } },
      ]);
      expect(server.events.map(({ kind }) => kind)).toEqual(["registered", "refused", "renewed"]);
    });

    it("of an admin outlives the proxy's connections, and ends when it is closed", async () => {
      await start();
      const admin = await server.dial("ann@a.org", server.project.issue({ name: "ann@a.org", role: "lead" }));
      await admin.execute(create(SignedCommandSchema));
      server.proxy.cutUpstreams();
      await admin.execute(create(SignedCommandSchema));
      expect(server.authenticator.sessionsOf("ann@a.org")).toHaveLength(1);
      admin.close();
      await admin.closed;
      await expect.poll(() => server.events.at(-1), patience).toMatchObject({ kind: "ended", reason: "ended by the participant" });
    });

    it("without any call ends by itself, but not one with a call under way", async () => {
      let nowMs = Date.now();
      const heard: string[] = [];
      await start(
        { attach: () => ({ onMessage: () => void heard.push("message"), onClose: () => undefined }) },
        { idleCheckMs: 20, now: () => nowMs },
      );
      const site = await server.dial("site-1");
      await site.attach(() => undefined).write(heartbeat());
      await server.dial("site-2");
      await server.dial("ann@a.org", server.project.issue({ name: "ann@a.org", role: "lead" }));
      await expect.poll(() => heard, patience).toEqual(["message"]);
      nowMs += limits.adminIdleMs + 1;
      await expect.poll(() => server.events.filter(({ kind }) => kind === "ended").length, patience).toBe(2);
      expect(server.authenticator.sessionsOf("site-1")).toHaveLength(1);
    });
  });
});

function changedWeight(message: Buffer): Uint8Array {
  return toBinary(SubmitUpdateRequestSchema, { ...fromBinary(SubmitUpdateRequestSchema, message), weight: 1000 });
}

async function* endless(): AsyncGenerator<Chunk, void, undefined> {
  for (let offset = 0; ; offset += 65_536) yield { object: { hash, size: 1e12 }, offset, data: Buffer.alloc(65_536) };
}

async function drain(messages: AsyncIterator<unknown>): Promise<void> {
  while ((await messages.next()).done !== true);
}

function heartbeat(): SiteMessage {
  return create(SiteMessageSchema, { message: { case: "heartbeat", value: { sentAtMs: 1n } } });
}

/** A body with another message behind the five bytes of gRPC. */
function bodyWith(body: Buffer, change: (message: Buffer) => Uint8Array): Buffer {
  const message = change(Buffer.from(body.subarray(5)));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}
