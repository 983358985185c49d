import fastify from "fastify";
import { expect, it } from "vitest";
import { z } from "zod";
import { routeUrl } from "../contract/api-client.js";
import { apiPrefix, defineRoute, isRaw, type RouteDefinition } from "../contract/define-route.js";
import { type Role, roles } from "../contract/roles.js";
import { allRoutes } from "../contract/routes.js";
import { tokenSchema } from "../contract/schemas.js";
import { dashboardPlugin } from "../dashboard-plugin.js";
import { describeOnAnyDatabase, startTestDashboard } from "../test-dashboard.test-support.js";
import { implement } from "./implement.js";
import { plainPaths } from "./plain-routes.js";
import { checkCoverage } from "./register-routes.js";

type Caller = "stranger" | "second-factor" | "pending" | "rejected" | "disabled" | Role;
const callers: readonly Caller[] = ["stranger", "second-factor", "pending", "rejected", "disabled", ...roles];

/** What the table says of a cell; the handler's own answer comes after it. */
function expected(route: RouteDefinition, caller: Caller): string {
  if (route.access === "open") return "let through";
  if (caller === "stranger" || caller === "second-factor" || caller === "rejected" || caller === "disabled")
    return "dashboard/not-signed-in";
  if (route.access === "signed-in") return "let through";
  if (caller === "pending") return "dashboard/waits-for-approval";
  return route.access.includes(caller) ? "let through" : "dashboard/not-allowed";
}

const barriers = ["dashboard/not-signed-in", "dashboard/waits-for-approval", "dashboard/not-allowed", "dashboard/csrf"];

describeOnAnyDatabase("routes and roles", (kind) => {
  it("fit in every cell of the table", async () => {
    const { url, dashboard, person, stranger } = await startTestDashboard(kind, {
      rateLimits: { requestsPerMinute: 100_000, openChangesPerMinute: 100_000 },
    });
    const wrong: string[] = [];
    for (const caller of callers) {
      for (const route of allRoutes) {
        // Each cell has a person of its own: routes such as signing out change the caller.
        const one = caller === "stranger" ? stranger() : await person(personInit(caller));
        if (caller === "second-factor") await dashboard.parts.db.updateTable("sessions").set({ step: "second-factor" }).execute();
        const answer = await one.fetch(`${url}${routeUrl(route, paramsOf(route))}`, {
          method: route.method,
          redirect: "manual",
          ...bodyOf(route),
        });
        const text = answer.headers.get("content-type")?.includes("event-stream") === true ? "" : await answer.text();
        await answer.body?.cancel().catch(() => undefined);
        const code = /"code":"([^"]+)"/.exec(text)?.[1] ?? "";
        const outcome = barriers.includes(code) ? code : "let through";
        if (outcome !== expected(route, caller) && !isOwnRefusal(route, code))
          wrong.push(`${route.id} as ${caller}: ${outcome}, not ${expected(route, caller)}`);
        if (answer.status >= 500 && code !== "dashboard/not-configured") wrong.push(`${route.id} as ${caller}: ${answer.status} ${code}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("are all there is: nothing is registered beside the table", async () => {
    const { dashboard } = await startTestDashboard(kind);
    const registered: string[] = [];
    const app = fastify();
    app.addHook("onRoute", ({ method, url }) => {
      registered.push(...[method].flat().map((one) => `${one} ${url}`));
    });
    await app.register(dashboardPlugin, { dashboard });
    await app.close();
    const known = allRoutes.map(({ method, path }) => `${method} ${apiPrefix}${path}`);
    const plain = plainPaths.flatMap((path) => [`GET ${path}`, `HEAD ${path}`]);
    expect(registered.filter((route) => !known.includes(route) && !plain.includes(route))).toEqual([]);
    expect(known.filter((route) => !registered.includes(route))).toEqual([]);
  });
});

it("no route has the token of a link in its address, which logs of proxies keep", () => {
  const isToken = (schema: unknown): boolean => z.toJSONSchema(schema as z.ZodType).pattern === z.toJSONSchema(tokenSchema).pattern;
  expect(isToken(tokenSchema.optional())).toBe(true);
  const found = allRoutes.filter(({ params, query }) =>
    Object.entries({ ...params?.shape, ...query?.shape }).some(([name, schema]) => /token/i.test(name) || isToken(schema)),
  );
  expect(found.map(({ id }) => id)).toEqual([]);
});

it("a route without a handler, or a handler without a route, does not start", async () => {
  const route = defineRoute({ id: "x.y", method: "GET", path: "/x", summary: "X", access: "open", response: z.object({}) });
  const handler = implement(route, async () => ({}));
  expect(() => checkCoverage([route], [handler])).not.toThrow();
  expect(() => checkCoverage([route], [])).toThrow("x.y has no handler");
  expect(() => checkCoverage([], [handler])).toThrow("x.y is not in the table");
  expect(() => checkCoverage([route], [handler, handler])).toThrow("two handlers");
});

function personInit(caller: Exclude<Caller, "stranger">): { role?: Role; state?: "pending" | "rejected" | "disabled" } {
  if (caller === "second-factor") return { role: "project_admin" };
  if (caller === "pending" || caller === "rejected" || caller === "disabled") return { role: "project_admin", state: caller };
  return { role: caller };
}

function paramsOf(route: RouteDefinition): Record<string, string> {
  const names = [...route.path.matchAll(/:([A-Za-z]+)/g)].map(([, name = ""]) => name);
  return Object.fromEntries(names.map((name) => [name, "6f1c0d2e-8a4b-4c3d-9e5f-0a1b2c3d4e5f"]));
}

function bodyOf(route: RouteDefinition): { body?: string; headers?: Record<string, string> } {
  if (route.body === undefined) return {};
  if (isRaw(route.body)) return { body: "x", headers: { "content-type": route.body.mediaType } };
  return { body: "{}", headers: { "content-type": "application/json" } };
}

/** Open routes may refuse by themselves, with a code that a barrier uses too. */
function isOwnRefusal(route: RouteDefinition, code: string): boolean {
  return route.id === "session.secondFactor" && code === "dashboard/not-signed-in";
}
