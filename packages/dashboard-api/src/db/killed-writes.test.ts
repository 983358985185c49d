import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { type ApiClient, createApiClient } from "../contract/api-client.js";
import { listAudit } from "../contract/audit.js";
import { invite, listInvitations } from "../contract/people.js";
import { setUp } from "../contract/session.js";
import { tokenIn } from "../smtp-receiver.test-support.js";
import { cookieFetch, createTestDatabase, describeOnEachDatabase } from "../test-dashboard.test-support.js";

/** So many kills for each database. */
const kills = Number(process.env["FLARE_KILLS"] ?? 3);

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly setUpLink: string;
}

/** The dashboard as a process of its own, as it is built. */
async function start(init: object): Promise<Started> {
  const script = `
    import { startDashboard } from ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
    const { url, setUpLink } = await startDashboard(JSON.parse(process.argv[1]));
    console.log(JSON.stringify({ url, setUpLink: setUpLink ?? "" }));
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script, JSON.stringify(init)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) return { child, ...(JSON.parse(line) as Omit<Started, "child">) };
  throw new Error("the dashboard did not start");
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  await ended;
}

describeOnEachDatabase("a dashboard that is killed", (kind) => {
  it(`${kills} times while it writes loses nothing that it has acknowledged, and keeps change and audit together`, {
    timeout: Math.max(600_000, kills * 60_000),
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "flare-killed-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const init = {
      dataFolder: join(folder, "data"),
      databaseUrl: kind === "PostgreSQL" ? await createTestDatabase() : undefined,
      port: 0,
      security: { kind: "clear" },
      scryptCost: { logN: 4, r: 8, p: 1 },
      rateLimits: { requestsPerMinute: 1_000_000 },
    };
    const fetch = cookieFetch();
    const acknowledged = new Set<string>();
    let csrfToken = "";
    const withToken: typeof globalThis.fetch = (input, options) => {
      const headers = { ...(options?.headers as Record<string, string>), "x-csrf-token": csrfToken };
      return fetch(input, { ...options, headers });
    };
    const lost: string[] = [];
    const restart = async (): Promise<{ child: ChildProcess; client: ApiClient; kept: Set<string> }> => {
      const { child, url, setUpLink } = await start(init);
      const client = createApiClient({ baseUrl: url, fetch: withToken });
      if (csrfToken === "") csrfToken = await firstAdmin(client, setUpLink);
      // The session is in the database too: it goes on after a restart.
      const kept = new Set((await client.call(listInvitations)).invitations.map(({ id }) => id));
      lost.push(...[...acknowledged].filter((id) => !kept.has(id)));
      return { child, client, kept };
    };
    for (let round = 0; round < kills; round++) {
      const { child, client } = await restart();
      const over = new AbortController();
      const writers = Array.from({ length: 4 }, () => keepInviting(client, acknowledged, over.signal));
      await reaches(acknowledged, acknowledged.size + 5 + ((round * 7) % 40));
      over.abort();
      await kill(child);
      await Promise.all(writers);
    }
    const { child, client, kept } = await restart();
    expect(lost).toEqual([]);
    expect(await countAudit(client, "invitations.create")).toBe(kept.size);
    await kill(child);
    expect(acknowledged.size).toBeGreaterThan(5 * kills);
  });
});

async function firstAdmin(client: ApiClient, setUpLink: string): Promise<string> {
  const person = { name: "Ada", email: "ada@example.org", organization: "x", password: "a long enough phrase" };
  return (await client.call(setUp, { body: { token: tokenIn(setUpLink), ...person } })).csrfToken ?? "";
}

/** Writes until it is over; what fails after that is the kill, everything else a failure. */
async function keepInviting(client: ApiClient, acknowledged: Set<string>, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    try {
      const { invitation } = await client.call(invite, { body: { role: "member", organization: "x" } });
      acknowledged.add(invitation.id);
    } catch (reason) {
      if (!over.aborted) throw reason;
    }
  }
}

async function reaches(set: ReadonlySet<string>, size: number): Promise<void> {
  while (set.size < size) await new Promise((resolve) => setImmediate(resolve));
}

async function countAudit(client: ApiClient, action: string): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const page = await client.call(listAudit, { query: { action, limit: 500, cursor } });
    count += page.entries.length;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return count;
}
