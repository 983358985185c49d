import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import { type ContentHash, FlareError, limits } from "@flare-ts/contracts";
import {
  JobEventSchema,
  type ServerMessage,
  ServerMessageSchema,
  SignedCommandSchema,
  type SiteMessage,
  SiteMessageSchema,
  SubmitUpdateReplySchema,
  SubmitUpdateRequestSchema,
} from "@flare-ts/contracts/wire";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuthenticatorInit } from "../session/authenticator-init.js";
import type { Chunk, ServerHandlers } from "./connection.js";
import { GrpcServerTransport } from "./grpc-server-transport.js";
import { startTestServer as startServer, type TestServer, type TestWay } from "./test-server.test-support.js";

const hash = "ef".repeat(32) as ContentHash;

describe.each<TestWay>(["mtls", "tls", "clear", "proxy"])("GrpcServerTransport and dialServer over %s", (way) => {
  let server: TestServer;
  const startTestServer = (handlers: Partial<ServerHandlers> = {}, init: Partial<AuthenticatorInit> = {}): Promise<TestServer> =>
    startServer(handlers, { ...init, way });

  afterEach(async () => {
    await server.stop();
  });

  function refusals(): unknown[] {
    return server.events.filter(({ kind }) => kind === "refused");
  }

  describe("calls", () => {
    it("carries every call of the protocol", async () => {
      const heard: (string | undefined)[] = [];
      server = await startTestServer({
        attach: (_context, send) => ({
          onMessage: (message) => {
            heard.push(message.message.case);
            void send(heartbeatOfServer(7n));
          },
          onClose: (reason) => heard.push(reason),
        }),
        submitUpdate: async ({ identity }, { weight }) => create(SubmitUpdateReplySchema, { outcome: `${identity.name} ${weight}` }),
        stat: async (_context, { size }) => ({ isComplete: false, durableOffset: size - 1 }),
        upload: async (_context, object, chunks) => {
          let size = 0;
          for await (const { data } of chunks) size += data.byteLength;
          return { isComplete: size === object.size, durableOffset: size };
        },
        download: async function* (_context, object, offset) {
          yield { offset, data: Buffer.alloc(object.size - offset, 1) };
        },
        watch: async function* () {
          yield create(JobEventSchema, { seq: 1n });
          yield create(JobEventSchema, { seq: 2n });
        },
      });
      const site = await server.dial("site-1");
      const reply = await new Promise<ServerMessage>((resolve) => {
        const stream = site.attach(resolve);
        void stream.write(heartbeatOfSite(1n));
      });
      expect(reply.message).toMatchObject({ case: "heartbeat", value: { sentAtMs: 7n } });
      expect((await site.submitUpdate(create(SubmitUpdateRequestSchema, { weight: 2.5 }))).outcome).toBe("site-1 2.5");
      const huge = { hash, size: 5_000_000_000 };
      expect(await site.stat(huge)).toMatchObject({ isComplete: false, durableOffset: 4_999_999_999 });
      expect(await site.upload(chunksOf([3, 0, 4]))).toEqual({ isComplete: true, durableOffset: 7 });
      const [chunk] = await collect(site.download(huge, 4_999_999_990));
      expect(chunk).toMatchObject({ offset: 4_999_999_990, data: Buffer.alloc(10, 1) });
      const admin = await server.dial("ann@a.org", server.project.issue({ name: "ann@a.org", role: "lead" }));
      expect((await admin.execute(create(SignedCommandSchema))).resultJson).toBe("{}");
      expect((await collect(admin.watch(create(SignedCommandSchema)))).map(({ seq }) => seq)).toEqual([1n, 2n]);
      site.close();
      await expect.poll(() => heard.length).toBe(2);
    });

    it("gives the caller the very error that the handler threw", async () => {
      const error = new FlareError("document/invalid", "Two mistakes.", {
        facts: { file: "meta.json", count: 2 },
        problems: [{ message: "no name", file: "meta.json", line: 3 }],
      });
      const fail = async (): Promise<never> => {
        throw error;
      };
      server = await startTestServer({
        submitUpdate: fail,
        upload: fail,
        // oxlint-disable-next-line require-yield
        download: async function* () {
          throw error;
        },
      });
      const site = await server.dial("site-1");
      await expect(site.submitUpdate(create(SubmitUpdateRequestSchema))).rejects.toEqual(error);
      await expect(site.upload(chunksOf([1, 2, 3]))).rejects.toEqual(error);
      await expect(collect(site.download({ hash, size: 1 }, 0))).rejects.toEqual(error);
    });

    it("tells a peer nothing of our insides, and cuts errors that are too large", async () => {
      server = await startTestServer({
        submitUpdate: async () => {
          throw new TypeError("secret of /srv/kit/startup/server.key");
        },
        stat: async () => {
          throw new FlareError("document/invalid", "m".repeat(100_000), { facts: { much: "x".repeat(100_000) } });
        },
      });
      const site = await server.dial("site-1");
      const bug = await site.submitUpdate(create(SubmitUpdateRequestSchema)).catch((error: unknown) => error);
      expect(bug).toMatchObject({ code: "internal/bug" });
      expect(JSON.stringify(bug)).not.toContain("secret");
      const large = (await site.stat({ hash, size: 1 }).catch((error: unknown) => error)) as FlareError;
      expect(large.code).toBe("document/invalid");
      expect(large.message.length).toBe(limits.peerTextChars);
    });

    it("ends a call at both sides when its caller aborts", async () => {
      let aborted: unknown;
      const reached = Promise.withResolvers<void>();
      server = await startTestServer({
        submitUpdate: async ({ signal }) => {
          reached.resolve();
          await once(signal, "abort");
          aborted = signal.reason;
          throw signal.reason;
        },
      });
      const site = await server.dial("site-1");
      const abort = new AbortController();
      const call = site.submitUpdate(create(SubmitUpdateRequestSchema), abort.signal);
      void reached.promise.then(() => abort.abort());
      await expect(call).rejects.toMatchObject({ code: "internal/aborted" });
      await site.stat({ hash, size: 1 });
      await expect.poll(() => aborted).toMatchObject({ code: "transfer/disconnected" });
    });

    it("closes the source of an upload before the reply is given, however early it comes", async () => {
      server = await startTestServer({ upload: async () => ({ isComplete: false, durableOffset: 5 }) });
      const site = await server.dial("site-1");
      let isClosed = false;
      const endless = async function* (): AsyncGenerator<Chunk, void, undefined> {
        try {
          for (let offset = 0; ; offset += 1000) yield { object: { hash, size: 1e9 }, offset, data: Buffer.alloc(1000) };
        } finally {
          isClosed = true;
        }
      };
      expect(await site.upload(endless())).toEqual({ isComplete: false, durableOffset: 5 });
      expect(isClosed).toBe(true);
    });

    it("keeps sites from the calls of admins, and admins from those of sites", async () => {
      server = await startTestServer();
      const site = await server.dial("site-1");
      await expect(site.execute(create(SignedCommandSchema))).rejects.toMatchObject({ code: "auth/wrong-kind" });
      const admin = await server.dial("ann@a.org", server.project.issue({ name: "ann@a.org", role: "lead" }));
      await expect(admin.submitUpdate(create(SubmitUpdateRequestSchema))).rejects.toMatchObject({ code: "auth/wrong-kind" });
      expect(refusals()).toMatchObject([
        { code: "auth/wrong-kind", claimedName: "site-1" },
        { code: "auth/wrong-kind", claimedName: "ann@a.org" },
      ]);
    });
  });

  describe("how a connection ends", () => {
    const control = (closed: string[]): Partial<ServerHandlers> => ({
      attach: () => ({ onMessage: () => void heard.push("message"), onClose: (reason) => closed.push(reason) }),
    });
    let heard: string[] = [];

    beforeEach(() => {
      heard = [];
    });

    it("tells a site why it was disconnected, ends its calls and its token", async () => {
      const closed: string[] = [];
      server = await startTestServer({
        ...control(closed),
        submitUpdate: async ({ signal }) => {
          await once(signal, "abort");
          throw signal.reason;
        },
      });
      const site = await server.dial("site-1");
      site.attach(() => undefined);
      const call = site.submitUpdate(create(SubmitUpdateRequestSchema)).catch((error: unknown) => error);
      await expect.poll(async () => (await site.stat({ hash, size: 1 })).isComplete).toBe(false);
      server.transport.disconnect(site.sessionId, "revoked");
      expect(await site.closed).toContain("revoked");
      expect(await call).toMatchObject({ row: { isRetryable: true } });
      expect(closed).toEqual([expect.stringContaining("revoked")]);
      expect(server.authenticator.session(site.sessionId)).toBeUndefined();
      await expect(site.stat({ hash, size: 1 })).rejects.toMatchObject({ code: "transfer/disconnected" });
      expect(server.events.at(-1)).toMatchObject({ kind: "ended", name: "site-1", reason: "revoked" });
    });

    it("tells the server at once that a site is gone", async () => {
      const closed: string[] = [];
      server = await startTestServer(control(closed));
      const site = await server.dial("site-1");
      const stream = site.attach(() => undefined);
      await stream.write(heartbeatOfSite(1n));
      await expect.poll(() => heard.length).toBe(1);
      site.close();
      await expect.poll(() => closed.length).toBe(1);
      expect(await site.closed).toBe("closed by this side");
      await expect(stream.write(heartbeatOfSite(2n))).rejects.toMatchObject({ code: "transfer/disconnected" });
    });

    it("tells a site at once that the server is gone, and fails its calls as retryable", async () => {
      server = await startTestServer({
        submitUpdate: async ({ signal }) => {
          await once(signal, "abort");
          throw signal.reason;
        },
      });
      const site = await server.dial("site-1");
      site.attach(() => undefined);
      const call = site.submitUpdate(create(SubmitUpdateRequestSchema)).catch((error: unknown) => error);
      await site.stat({ hash, size: 1 });
      await server.transport.stop(0);
      await site.closed;
      expect(await call).toMatchObject({ row: { isRetryable: true } });
    });

    it("waits for calls in progress when it stops, but for no longer than it is told", async () => {
      const order: string[] = [];
      const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      server = await startTestServer({
        ...control(order),
        submitUpdate: async () => {
          reached.resolve();
          await released.promise;
          order.push("answered");
          return create(SubmitUpdateReplySchema, { outcome: "accepted" });
        },
      });
      const site = await server.dial("site-1");
      const call = site.submitUpdate(create(SubmitUpdateRequestSchema));
      await reached.promise;
      const stopped = server.transport.stop(30_000).then(() => order.push("stopped"));
      released.resolve();
      expect((await call).outcome).toBe("accepted");
      await stopped;
      expect(order).toEqual(["answered", "stopped"]);
    });

    it("renews its token while it lives", async () => {
      server = await startTestServer({}, { tokenMs: 1_500 });
      const site = await server.dial("site-1");
      await expect.poll(() => server.events.filter(({ kind }) => kind === "renewed").length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
      await site.stat({ hash, size: 1 });
      expect(server.authenticator.sessionsOf("site-1")).toHaveLength(1);
      expect(refusals()).toEqual([]);
    });
  });

  it("says which address it cannot listen on", async () => {
    server = await startTestServer();
    const port = server.serverPort;
    const second = new GrpcServerTransport(
      { authenticator: server.authenticator, handlers: {} as ServerHandlers },
      { host: "127.0.0.1", port, keys: server.project.server() },
    );
    await expect(second.start()).rejects.toMatchObject({
      code: "transfer/cannot-listen",
      message: `The server cannot listen on 127.0.0.1:${port}: EADDRINUSE: address already in use 127.0.0.1:${port}`,
    });
  });
});

function heartbeatOfSite(sentAtMs: bigint): SiteMessage {
  return create(SiteMessageSchema, { message: { case: "heartbeat", value: { sentAtMs } } });
}

function heartbeatOfServer(sentAtMs: bigint): ServerMessage {
  return create(ServerMessageSchema, { message: { case: "heartbeat", value: { sentAtMs } } });
}

async function* chunksOf(sizes: readonly number[]): AsyncGenerator<Chunk, void, undefined> {
  const object = { hash, size: sizes.reduce((sum, size) => sum + size, 0) };
  let offset = 0;
  for (const [i, size] of sizes.entries()) {
    yield { ...(i === 0 ? { object } : {}), offset, data: Buffer.alloc(size) };
    offset += size;
  }
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
