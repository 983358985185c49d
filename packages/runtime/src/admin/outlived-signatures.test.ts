import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { adminName, createSmallFederation } from "../process/small-federation.test-support.js";
import { startServer } from "../server/start-server.js";
import { connectAdmin } from "./connect-admin.js";

it("a job whose files were under way when its submitter's certificate ended is signed with the next one", async () => {
  const federation = await createSmallFederation({
    certificates: { leaf_lifetime: "5m", server_may_renew: ["admin", "server"] },
    // Its certificates have ended by now; the server gives out others.
    madeAt: new Date(Date.now() - 600_000),
  });
  const kitDir = federation.kitDir("localhost");
  const first = await startServer({ kitDir, leafLifetimeMs: 3_000 });
  const admin = await connectAdmin({ kitDir: federation.kitDir(adminName) });
  const folder = await federation.writeJob(["site-1"]);
  for (let i = 0; i < 10; i += 1) await writeFile(join(folder, "app", "custom", `part-${i}.ts`), `// ${i}`);
  let restarted: ReturnType<typeof startServer> | undefined;
  const restartLater = async (): ReturnType<typeof startServer> => {
    await first.stop();
    await vi.waitUntil(async () => Date.now() > (await endOf(federation.kitDir(adminName))), { timeout: 20_000 });
    return await startServer({ kitDir, leafLifetimeMs: 300_000 });
  };
  const { jobId } = await admin.submitJob(folder, {
    onProgress: ({ doneBytes, totalBytes }) => {
      if (doneBytes === totalBytes) restarted ??= restartLater();
    },
  });
  expect(await admin.jobMeta(jobId)).toMatchObject({ jobId, status: "SUBMITTED" });
  admin.close();
  await (await restarted)?.stop();
  await federation.dispose();
});

/** When the certificate ends that an admin got by renewal; milliseconds since the epoch. */
async function endOf(adminKit: string): Promise<number> {
  const identity = join(adminKit, "identity");
  const serial = (await readFile(join(identity, "current"), "utf8")).trim();
  return Date.parse(new X509Certificate(await readFile(join(identity, serial, "client.crt"))).validTo);
}
