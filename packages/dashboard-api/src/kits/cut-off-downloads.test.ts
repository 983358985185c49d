import { describe, expect, inject, it } from "vitest";
import { createKitLink, downloadKit, issueServerKit, useKitLink } from "../contract/kits.js";
import { holdTable } from "../held-table.test-support.js";
import type { TestDashboard } from "../test-dashboard.test-support.js";
import { startFrozenDashboard } from "./frozen-dashboard.test-support.js";

/** Breaks the connection of a request that waits for a table, and lets the dashboard go on with it. */
async function breakAt(dashboard: TestDashboard, table: string, send: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  await dashboard.dashboard.parts.tasks.drained();
  const held = await holdTable(dashboard.databaseUrl, table);
  const abort = new AbortController();
  const sent = send(abort.signal).catch(() => undefined);
  await held.waitedFor();
  abort.abort();
  await sent;
  // Another connection is answered after the end of this one was seen.
  expect((await fetch(`${dashboard.url}/healthz`)).status).toBe(200);
  await held.release();
}

describe.skipIf(inject("postgresUrl") === null)("an archive with a private key whose download breaks before it begins", () => {
  it("can be downloaded again", async () => {
    const { dashboard, admin } = await startFrozenDashboard("PostgreSQL");
    const { kit } = await admin.call(issueServerKit);
    const params = { id: kit.id };
    await breakAt(dashboard, "kits", (signal) => admin.call(downloadKit, { params, signal }));
    // It may not even be written down by now as one that was delivered, and is not any more.
    const again = async (): Promise<number> =>
      await admin.call(downloadKit, { params }).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(again, { interval: 500 }).toBe(200);
  });

  it("keeps its link", async () => {
    const { dashboard, admin } = await startFrozenDashboard("PostgreSQL");
    const { kit } = await admin.call(issueServerKit);
    const { link } = await admin.call(createKitLink, { params: { id: kit.id }, body: {} });
    const body = { token: link.split("#")[1] ?? "" };
    await breakAt(dashboard, "kit_links", (signal) => dashboard.stranger().call(useKitLink, { body, signal }));
    await expect
      .poll(
        async () =>
          await dashboard
            .stranger()
            .call(useKitLink, { body })
            .then(
              ({ status }) => status,
              () => 0,
            ),
        // An address may try so often in a minute, and a busy database may take seconds to have the link back.
        { interval: 500 },
      )
      .toBe(200);
  });
});
