import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterEach, describe, inject } from "vitest";
import { type ApiClient, createApiClient } from "./contract/api-client.js";
import type { PersonState } from "./contract/person.js";
import type { Role } from "./contract/roles.js";
import type { Dashboard, DashboardComponents } from "./open-dashboard.js";
import { createId } from "./secrets/tokens.js";
import { type StartDashboardInit, startDashboard } from "./start-dashboard.js";

/** A kind of database that a suite runs on. */
export type DatabaseKind = "SQLite" | "PostgreSQL";

/** Runs a suite on the embedded database and on a real PostgreSQL, where that is installed. */
export function describeOnEachDatabase(name: string, suite: (kind: DatabaseKind) => void): void {
  describe(`${name}, on SQLite`, () => {
    suite("SQLite");
  });
  describe.skipIf(inject("postgresUrl") === null)(`${name}, on PostgreSQL`, () => {
    suite("PostgreSQL");
  });
}

/** Runs a suite whose promises are the same on any database on the embedded one, which costs the least. */
export function describeOnAnyDatabase(name: string, suite: (kind: DatabaseKind) => void): void {
  describe(`${name}, on any database`, () => {
    suite("SQLite");
  });
}

/** A person who is signed in, with a client of their own. */
export interface TestPerson extends ApiClient {
  readonly id: string;
  readonly email: string;
  /** `fetch` with the person's cookies. */
  readonly fetch: typeof fetch;
  /** Cookie and CSRF token, for requests below `fetch`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A dashboard on a temporary folder and database, listening in clear on loopback. */
export interface TestDashboard {
  readonly url: string;
  /** Where it listens: the same as `url` unless a public address was set. */
  readonly listensAt: string;
  readonly setUpLink: string | undefined;
  readonly dashboard: Dashboard;
  /** Of its PostgreSQL database. */
  readonly databaseUrl: string | undefined;
  readonly clock: TestClock;
  /** A client of somebody who is not signed in. */
  readonly stranger: () => TestStranger;
  /** Makes a person and signs them in, without the routes for it. @default role member, approved, organisation "hospital_a" */
  readonly person: (init?: {
    readonly role?: Role;
    readonly state?: PersonState;
    readonly organization?: string;
    readonly email?: string;
    readonly password?: string;
    /** Whether the person's address was proven. @default false */
    readonly isEmailProven?: boolean;
  }) => Promise<TestPerson>;
  /** Stops it and starts another one on the same folder and database; people have to be made or signed in again. */
  readonly restart: (init?: Partial<StartDashboardInit>) => Promise<TestDashboard>;
  readonly stop: () => Promise<void>;
}

export interface TestStranger extends ApiClient {
  readonly fetch: typeof fetch;
}

/** A clock that tests turn; it begins at a fixed moment and stands still. */
export class TestClock {
  #nowMs = Date.UTC(2030, 0, 1);
  readonly now = (): number => this.#nowMs;
  advance(ms: number): void {
    this.#nowMs += ms;
  }
}

/** Cost of scrypt in tests: the code that runs is the same. */
export const testScryptCost = { logN: 4, r: 8, p: 1 } as const;

/** Starts a dashboard that is stopped when the test ends. */
export async function startTestDashboard(
  kind: DatabaseKind,
  init: Partial<StartDashboardInit> = {},
  components: DashboardComponents = {},
): Promise<TestDashboard> {
  const folder = mkdtempSync(join(tmpdir(), "flare-dashboard-"));
  toRemove.push(folder);
  const databaseUrl = kind === "PostgreSQL" ? await createTestDatabase() : undefined;
  return await startOn(new TestClock(), { dataFolder: join(folder, "data"), databaseUrl, ...init }, components);
}

async function startOn(
  clock: TestClock,
  init: Partial<StartDashboardInit> & Pick<StartDashboardInit, "dataFolder">,
  components: DashboardComponents,
): Promise<TestDashboard> {
  const running = await startDashboard(
    { port: 0, security: { kind: "clear" }, scryptCost: testScryptCost, ...init },
    { now: clock.now, ...components },
  );
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (!isStopped) await running.stop();
    isStopped = true;
  };
  toStop.push(stop);
  const stranger = (): TestStranger => {
    const fetch = cookieFetch();
    return { fetch, ...createApiClient({ baseUrl: running.url, fetch }) };
  };
  return {
    url: running.url,
    listensAt: running.listensAt,
    setUpLink: running.setUpLink,
    dashboard: running.dashboard,
    databaseUrl: init.databaseUrl,
    clock,
    stranger,
    person: (person) => makePerson(running.dashboard, running.url, person),
    restart: async (change = {}) => {
      await stop();
      return await startOn(clock, { ...init, ...change }, components);
    },
    stop,
  };
}

const toStop: (() => Promise<void>)[] = [];
const toRemove: string[] = [];

afterEach(async () => {
  for (const stop of toStop.splice(0)) await stop();
  for (const folder of toRemove.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function makePerson(
  { parts }: Dashboard,
  url: string,
  {
    role = "member",
    state = "approved",
    organization = "hospital_a",
    email,
    password,
    isEmailProven = false,
  }: Parameters<TestDashboard["person"]>[0] = {},
): Promise<TestPerson> {
  const id = createId(parts.randomBytes);
  const row = {
    id,
    email: email ?? `${role}-${id.slice(0, 8)}@example.org`.replaceAll("_", "."),
    email_proven_at_ms: isEmailProven ? parts.now() : null,
    name: `A ${role}`,
    organization,
    role,
    state,
    password_hash: password === undefined ? null : await parts.passwords.hash(password),
    totp_secret: null,
    totp_is_on: 0,
    totp_last_step: 0,
    created_at_ms: parts.now(),
    last_sign_in_at_ms: null,
  };
  await parts.db.insertInto("people").values(row).execute();
  const token = await parts.sessions.begin(parts.db, { personId: id, step: "complete", address: "127.0.0.1", userAgent: "test" });
  const live = await parts.sessions.find(token);
  const csrfToken = live === undefined ? "" : parts.guard.csrfTokenOf(live.session.id);
  const fetch = cookieFetch({ [parts.cookie.name]: token }, { "x-csrf-token": csrfToken });
  const headers = { cookie: `${parts.cookie.name}=${token}`, "x-csrf-token": csrfToken };
  return { id, email: row.email, fetch, headers, ...createApiClient({ baseUrl: url, fetch }) };
}

/** `fetch` that keeps cookies as a browser's tab does. */
export function cookieFetch(cookies: Record<string, string> = {}, headers: Readonly<Record<string, string>> = {}): typeof fetch {
  const jar = new Map(Object.entries(cookies));
  return async (input, init = {}) => {
    const request = new Request(input, init);
    for (const [name, value] of Object.entries(headers)) if (!request.headers.has(name)) request.headers.set(name, value);
    if (jar.size > 0) request.headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(request);
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split(/;\s*/);
      const [name = "", value = ""] = pair.split("=");
      if (value === "" || attributes.some((one) => one.startsWith("Max-Age=0"))) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  };
}

export async function createTestDatabase(): Promise<string> {
  const cluster = inject("postgresUrl") ?? "";
  const name = `test_${randomBytes(8).toString("hex")}`;
  const client = new Client({ connectionString: cluster.replace("@/", "@/postgres") });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return cluster.replace("@/", `@/${name}`);
}
