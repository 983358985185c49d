import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { CommandReplySchema, JobEventSchema } from "@flare-ts/contracts/wire";
import type { Kit, TrustKeeper } from "@flare-ts/provision/kit";
import { expect, it } from "vitest";
import { LiveIdentity } from "../identity/live-identity.js";
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
  const keys = server.project.issue({ name: "ann@a.org", role: "lead" });
  const folder = await mkdtemp(join(tmpdir(), "flare-admin-"));
  const { certificatePem, privateKeyPem } = keys;
  const kit = { project: server.project.name, certificatePem, privateKeyPem } as Kit;
  const admin = new AdminSession({
    dial: () => server.dial("ann@a.org", keys),
    kit,
    keeper: {} as TrustKeeper,
    identity: new LiveIdentity({ keys }),
    stores: new TransferStores({ now: Date.now }, { folder }),
    now: Date.now,
  });
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
  admin.close();
  await server.stop();
  await rm(folder, { recursive: true });
});
