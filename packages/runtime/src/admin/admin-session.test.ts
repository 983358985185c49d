import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { limits } from "@flare-ts/contracts";
import { CommandReplySchema, JobEventSchema } from "@flare-ts/contracts/wire";
import type { Kit, TrustKeeper } from "@flare-ts/provision/kit";
import { expect, it, onTestFinished, vi } from "vitest";
import { LiveIdentity } from "../identity/live-identity.js";
import type { JournalEntry } from "../job/job-event.js";
import { receiptsPage } from "../receipt/receipts-page.js";
import type { Connection } from "../transport/connection.js";
import { startTestServer } from "../transport/test-server.test-support.js";
import { AdminSession } from "./admin-session.js";
import { TransferStores } from "./transfer-stores.js";

it("a session that the server ended while nobody used it is opened again by the next command", async () => {
  const commands: string[] = [];
  const server = await startTestServer(
    {
      execute: async ({ sessionId }) => {
        commands.push(sessionId);
        return create(CommandReplySchema, { resultJson: "[]" });
      },
      watch: async function* () {
        yield create(JobEventSchema, { jobId: "j", seq: 1n, eventJson: '{"type":"job-ended"}' });
      },
    },
    { way: "proxy" },
  );
  const admin = await openSession(server);
  const endAll = (): void => {
    for (const { id } of server.authenticator.sessionsOf("ann@a.org")) server.authenticator.end(id, "silent for too long");
  };
  await admin.listJobs();
  endAll();
  await admin.listJobs();
  endAll();
  const events = [];
  for await (const { seq } of admin.watchJob("j")) events.push(seq);
  expect(events).toEqual([1]);
  expect(new Set(commands).size).toBe(2);
});

it("the receipts of a job of many rounds, which no message has room for, come in several", async () => {
  const document = "d".repeat(limits.controlMessageBytes / 1_000);
  const entries = Array.from({ length: 1_500 }, (_, i) => {
    const event = { type: "round-receipt", round: i, document, signature: String(i), certificate: "" };
    return { jobId: "j", seq: i + 1, atMs: 0, event } as JournalEntry;
  });
  const server = await startTestServer({
    execute: async (_context, { commandJson }) => {
      const { after = 0 } = (JSON.parse(Buffer.from(commandJson).toString()) as { readonly args: { readonly after?: number } }).args;
      return create(CommandReplySchema, { resultJson: JSON.stringify(receiptsPage(entries.filter(({ seq }) => seq > after))) });
    },
  });
  const { receipts, verdicts } = await (await openSession(server)).receipts("j");
  expect(receipts.map(({ signature }) => Number(signature))).toEqual(entries.map((_, i) => i));
  expect(verdicts).toHaveLength(1_500);
});

it("the jobs of years, which no message has room for, come in several", async () => {
  const all = Array.from({ length: 2 * limits.jobsPerPage + 50 }, (_, i) => ({ jobId: String(i) }));
  let pages = 0;
  const server = await startTestServer({
    execute: async (_context, { commandJson }) => {
      const command = JSON.parse(Buffer.from(commandJson).toString()) as {
        readonly args: { readonly after?: string; readonly limit?: number };
      };
      const { after, limit = limits.jobsPerPage } = command.args;
      const from = after === undefined ? 0 : Number(after) + 1;
      pages += 1;
      return create(CommandReplySchema, { resultJson: JSON.stringify(all.slice(from, from + Math.min(limit, limits.jobsPerPage))) });
    },
  });
  const admin = await openSession(server);
  expect(await admin.listJobs()).toEqual(all);
  expect(pages).toBe(3);
  expect(await admin.listJobs({ limit: limits.jobsPerPage + 1 })).toEqual(all.slice(0, limits.jobsPerPage + 1));
  expect(await admin.listJobs({ limit: limits.jobsPerPage })).toHaveLength(limits.jobsPerPage);
  expect(pages).toBe(6);
});

/** A server that takes commands and never answers. */
const silent = {
  execute: ({ signal }: { readonly signal: AbortSignal }) => new Promise<never>((_resolve, reject) => onAbort(signal, reject)),
  watch: async function* ({ signal }: { readonly signal: AbortSignal }) {
    yield create(JobEventSchema, { jobId: "j", seq: 1n, eventJson: '{"type":"job-submitted"}' });
    await new Promise((resolve) => onAbort(signal, resolve));
  },
};

function onAbort(signal: AbortSignal, then: (reason: Error) => void): void {
  signal.addEventListener("abort", () => then(new Error("gone")));
}

it("a session that was closed ends what is under way and does nothing more", async () => {
  const server = await startTestServer(silent);
  const admin = await openSession(server);
  const call = admin.status();
  const watching = (async () => {
    for await (const { seq } of admin.watchJob("j")) if (seq === 1) admin.close();
  })();
  const closed = { code: "runtime/session-closed" };
  await Promise.all([call, watching].map((ended) => expect(ended).rejects.toMatchObject(closed)));
  admin.close();
  const late = [admin.listJobs(), admin.studies.list(), admin.watchSystem()[Symbol.asyncIterator]().next()];
  await Promise.all(late.map((ended) => expect(ended).rejects.toMatchObject(closed)));
  await vi.waitFor(() => expect(server.authenticator.sessionsOf("ann@a.org")).toHaveLength(0));
});

it("a call ends with its own signal, whatever that says, also while the server has yet to be reached", async () => {
  const server = await startTestServer(silent);
  for (const dial of [undefined, () => new Promise<never>(() => undefined)]) {
    const admin = await openSession(server, dial);
    await expect(admin.status(AbortSignal.timeout(50))).rejects.toMatchObject({ code: "internal/aborted" });
    await expect(admin.status(AbortSignal.abort())).rejects.toMatchObject({ code: "internal/aborted" });
    const controller = new AbortController();
    const call = admin.jobMeta("j", controller.signal);
    const other = admin.status();
    setTimeout(() => controller.abort(new TypeError("the window was closed")), 20);
    await expect(call).rejects.toMatchObject({ code: "internal/aborted", message: expect.stringContaining("the window was closed") });
    expect(await Promise.race([other.catch(() => "ended"), sleep(20).then(() => "goes on")])).toBe("goes on");
    admin.close();
    await expect(other).rejects.toMatchObject({ code: "runtime/session-closed" });
  }
});

it("closing a session ends its attempt to reach the server", async () => {
  const server = await startTestServer();
  const dialled = Promise.withResolvers<AbortSignal>();
  const admin = await openSession(server, (signal) => {
    dialled.resolve(signal);
    return new Promise<never>(() => undefined);
  });
  const opening = admin.open();
  const signal = await dialled.promise;
  admin.close();
  await expect(opening).rejects.toMatchObject({ code: "runtime/session-closed" });
  expect(signal.aborted).toBe(true);
});

async function openSession(
  server: Awaited<ReturnType<typeof startTestServer>>,
  dial?: (signal: AbortSignal) => Promise<Connection>,
): Promise<AdminSession> {
  const keys = server.project.issue({ name: "ann@a.org", role: "lead" });
  const folder = await mkdtemp(join(tmpdir(), "flare-admin-"));
  const { certificatePem, privateKeyPem } = keys;
  const kit = { project: server.project.name, certificatePem, privateKeyPem } as Kit;
  const admin = new AdminSession({
    dial: dial ?? (() => server.dial("ann@a.org", keys)),
    kit,
    keeper: {} as TrustKeeper,
    identity: new LiveIdentity({ keys }),
    stores: new TransferStores({ now: Date.now }, { folder }),
    now: Date.now,
  });
  onTestFinished(async () => {
    admin.close();
    await server.stop();
    await rm(folder, { recursive: true });
  });
  return admin;
}
