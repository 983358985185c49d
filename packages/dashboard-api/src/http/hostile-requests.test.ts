import { request as httpRequest } from "node:http";
import {
  type Arbitrary,
  boolean,
  constant,
  constantFrom,
  dictionary,
  json,
  jsonValue,
  oneof,
  option,
  record,
  sample,
  string,
  tuple,
} from "fast-check";
import { expect, it } from "vitest";
import { routeUrl } from "../contract/api-client.js";
import { isRaw, type RouteDefinition } from "../contract/define-route.js";
import { allRoutes } from "../contract/routes.js";
import { describeOnEachDatabase, startTestDashboard, type TestDashboard, type TestPerson } from "../test-dashboard.test-support.js";

/** So many hostile requests for each database. */
const count = Number(process.env["FLARE_HOSTILE_REQUESTS"] ?? 300);

interface Attack {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly isSignedIn: boolean;
}

const nastyTexts = [
  "' or '1'='1",
  "'; drop table people; --",
  "../../../../etc/passwd",
  "..%2f..%2fdashboard.key",
  "%00",
  "\u0000",
  "\ud800",
  "<script>alert(1)</script>",
  "${7*7}{{7*7}}",
  "__proto__",
  "constructor",
  "toString",
  "-1",
  "1e309",
  "NaN",
  "9".repeat(400),
  "a".repeat(20_000),
  "\r\nset-cookie: flare=x",
  "🧬".repeat(500),
  "6f1c0d2e-8a4b-4c3d-9e5f-0a1b2c3d4e5f",
  "A".repeat(43),
];

const nasty = oneof(
  { weight: 3, arbitrary: constantFrom(...nastyTexts) },
  { weight: 1, arbitrary: string({ unit: "binary", maxLength: 200 }) },
);
const nastyJson = oneof(
  json({ maxDepth: 4 }),
  constantFrom("{", "[", "null", "1e999", '"', "{}", '{"__proto__":{"role":"project_admin"}}', '{"a":1,"a":2}', "\ufeff{}", ""),
  constant(`${"[".repeat(100_000)}${"]".repeat(100_000)}`),
  constant(`{"email":"${"x".repeat(1_500_000)}"}`),
  constant('{"a":'.repeat(5000)),
);

/** A body that is right in form, with something nasty in each place. */
function shaped(route: RouteDefinition): Arbitrary<string> {
  const shape = isRaw(route.body) || route.body === undefined ? {} : ((route.body as { shape?: object }).shape ?? {});
  const keys = Object.keys(shape);
  const value = oneof(nasty, constantFrom("a@example.org", "Ann", "approve", "member", "correct horse battery"), jsonValue());
  return record(Object.fromEntries(keys.map((key) => [key, value])), { requiredKeys: [] }).map((body) => JSON.stringify(body));
}

const headerText = nasty.map((text) => text.replaceAll(/[^\u0020-\u007e]/g, "").slice(0, 4000));
const headers = record(
  {
    "content-type": constantFrom(
      "application/json",
      "application/json; charset=utf-7",
      "text/plain",
      "multipart/form-data",
      "application/zip",
      "nonsense",
    ),
    cookie: headerText.map((text) => `flare=${text}`),
    origin: constantFrom("https://evil.example", "null", "http://localhost", ":"),
    "sec-fetch-site": constantFrom("cross-site", "same-site", "x"),
    "x-csrf-token": headerText,
    authorization: headerText.map((text) => `Bearer ${text}`),
    "x-forwarded-for": headerText,
    "x-forwarded-proto": constantFrom("https", "javascript"),
    host: constantFrom("evil.example", "localhost:1"),
    "user-agent": headerText,
    "accept-encoding": constant("gzip, br, zstd"),
    "if-none-match": headerText,
    "last-event-id": headerText,
  },
  { requiredKeys: [] },
);

const attack: Arbitrary<Attack> = constantFrom(...allRoutes).chain((route) => {
  const names = [...route.path.matchAll(/:([A-Za-z]+)/g)].map(([, name = ""]) => name);
  const query = Object.keys(route.query?.shape ?? {});
  const place = tuple(
    record(Object.fromEntries(names.map((name) => [name, nasty.map(wellFormed)]))),
    dictionary(oneof(constantFrom(...query, "x"), nasty.map(wellFormed)), nasty.map(wellFormed), { maxKeys: 4 }),
  ).map(([params, search]) => routeUrl(route, params, search));
  const stray = nasty.map((text) => `/${encodeURI(wellFormed(text)).replaceAll("#", "")}`.slice(0, 8000));
  return record({
    method: oneof(
      { weight: 5, arbitrary: constant(route.method as string) },
      constantFrom("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD", "TRACE"),
    ),
    path: oneof({ weight: 6, arbitrary: place }, stray),
    headers: oneof({ weight: 2, arbitrary: headers }, constant({ "content-type": "application/json" })),
    body: option(oneof(nastyJson, shaped(route)), { nil: undefined }),
    isSignedIn: boolean(),
  });
});

function wellFormed(text: string): string {
  return text.toWellFormed();
}

/** Nothing of these may stand in an answer: stacks, paths, SQL, secrets of the database. */
const leaks = /node_modules|\.ts:\d|\.js:\d|at \w+ \(|SQLITE|syntax error|select .* from|\$scrypt|dashboard\.sqlite|flare-dashboard-/i;

describeOnEachDatabase("hostile requests", (kind) => {
  it(`${count} of them find no failure of the dashboard, nothing that leaks, and slow nobody down`, { timeout: 1_200_000 }, async () => {
    const dashboard = await startTestDashboard(kind, { rateLimits: { requestsPerMinute: 1_000_000, openChangesPerMinute: 1_000_000 } });
    const bystander = await dashboard.person({ role: "lead" });
    const before = await typicalWorkMs(dashboard, bystander);
    const during: number[] = [];
    const wrong: string[] = [];
    let sent = 0;
    const attacks = sample(attack, { numRuns: count, seed: 20_261_126 });
    let admin = await dashboard.person({ role: "project_admin" });
    for (const one of attacks) {
      const { status, text } = await send(dashboard.url, one, admin);
      const said = `${one.method} ${one.path.slice(0, 200)} ${one.body?.slice(0, 200) ?? ""}: ${status} ${text.slice(0, 500)}`;
      if (status >= 500 || leaks.test(text.replaceAll(one.body ?? "\u0000", ""))) wrong.push(said);
      sent += 1;
      if (sent % 20 === 0) during.push(await workMsOf(dashboard, bystander));
      // Some attacks are what an admin may do: sign out, change the own password.
      if (sent % 50 === 0) admin = await dashboard.person({ role: "project_admin" });
    }
    expect(wrong).toEqual([]);
    expect(sent).toBe(count);
    // An order of magnitude is what a slowdown would be.
    expect(median(during)).toBeLessThan(Math.max(10 * before, 50));
    expect((await fetch(`${dashboard.url}/healthz`)).status).toBe(200);
    const tables = await dashboard.dashboard.parts.db.selectFrom("people").select("role").where("id", "=", bystander.id).execute();
    expect(tables).toEqual([{ role: "lead" }]);
  });
});

/** Below `fetch`, which would tidy up what is sent. */
async function send(url: string, one: Attack, admin: TestPerson): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  const own = one.isSignedIn ? admin.headers : {};
  const length = one.body === undefined ? {} : { "content-length": String(Buffer.byteLength(one.body)) };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        hostname,
        port,
        method: one.method,
        path: one.path,
        headers: { ...one.headers, ...own, ...length, connection: "close" },
        setHost: true,
      },
      (response) => {
        const chunks: Buffer[] = [];
        const done = (): void =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8").slice(0, 100_000) });
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          // A stream of events goes on for ever.
          if (response.headers["content-type"]?.includes("event-stream") === true) {
            done();
            response.destroy();
          }
        });
        response.on("end", done);
        response.on("error", done);
      },
    );
    request.on("error", (reason: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }) => {
      // What Node refuses before it knows the method gets a body even where the client expects none, as after HEAD.
      const raw = reason.rawPacket?.toString("utf8") ?? "";
      const status = /^HTTP\/1\.1 (\d{3})/.exec(raw)?.[1];
      if (status !== undefined) resolve({ status: Number(status), text: raw });
      // A server that has refused may close while the rest of a large body is still on its way.
      else if (reason.code === "EPIPE" || reason.code === "ECONNRESET") resolve({ status: 413, text: "" });
      else reject(reason);
    });
    request.end(one.body);
  });
}

/** Processor time of a bystander's request: what other programs of the machine do does not count. */
async function workMsOf({ url }: TestDashboard, person: TestPerson): Promise<number> {
  const began = process.cpuUsage();
  const answer = await person.fetch(`${url}/api/v1/me`);
  await answer.text();
  expect(answer.status).toBe(200);
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}

async function typicalWorkMs(dashboard: TestDashboard, person: TestPerson): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < 20; i++) all.push(await workMsOf(dashboard, person));
  return median(all);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
