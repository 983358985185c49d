import type { Json } from "@flare-ts/contracts";
import type { SignedCommand } from "@flare-ts/contracts/wire";
import { beforeEach, expect, it } from "vitest";
import type { AuditEntry } from "../logging/audit-log.js";
import { lineLogger } from "../logging/line-logger.js";
import type { OperationVerb } from "../operate/operation-verbs.js";
import { Studies } from "../study/studies.js";
import type { Caller } from "./command-gate.js";
import { OperationService, type OperationServiceComponents } from "./operation-service.js";

const identity = { name: "ann@a.org", org: "a", role: "org_admin", kind: "admin", fingerprint: "", chainPem: "" } as const;
const attachments: Readonly<Record<string, string>> = { "site-1": "x1", "site-2": "x2", old: "" };
const orgs: Readonly<Record<string, string>> = { "site-1": "a", "site-2": "b", old: "a", away: "a" };

let audited: AuditEntry[];
let sent: string[];
let performed: string[];
let service: OperationService;

beforeEach(() => {
  [audited, sent, performed] = [[], [], []];
  const components = {
    directory: {
      known: () => Object.entries(orgs).map(([name, org]) => ({ name, org })),
      get: (name: string) =>
        Object.hasOwn(attachments, name)
          ? { identity: { name }, hello: { attachment: attachments[name], softwareVersion: "0" } }
          : undefined,
    },
    studies: { studies: Studies.none.with("lungs", { siteOrgs: new Map([["a", ["site-1"]]]), users: [identity.name] }) },
    commands: {
      send: async (site: { readonly identity: { readonly name: string } }) => {
        sent.push(site.identity.name);
        return { stage: "gone" };
      },
    },
    disabled: { get: () => undefined, disable: async () => true, enable: async () => true },
    exclusion: { exclude: async () => ["job"] },
    own: { check: () => undefined, perform: async ({ verb }: { readonly verb: string }) => void performed.push(verb) },
    audit: { write: (entry: AuditEntry) => audited.push(entry) },
    logger: lineLogger(undefined),
    now: () => 0,
    // `operate` for the own organisation, the server's being `a` too.
    isAllowed: ({
      user,
      site = { org: "a" },
    }: {
      readonly user: { readonly org: string };
      readonly site?: { readonly org: string | undefined };
    }) => user.org === site.org,
  };
  service = new OperationService(components as unknown as OperationServiceComponents, { serverName: "server" });
});

const give = (verb: OperationVerb, args: Readonly<Record<string, Json>>, study = "default"): Promise<Json> =>
  service.answer(verb, { caller: { identity, study } satisfies Caller, args, signed: {} as SignedCommand });
const codesOf = (answer: Json): unknown =>
  Object.entries(
    (answer as { readonly sites: Readonly<Record<string, { readonly stage: string; readonly error?: { readonly code: string } }>> }).sites,
  ).map(([name, { stage, error }]) => `${name} ${error?.code ?? stage}`);

it("decides on each site by itself, by its organisation, and writes each decision down", async () => {
  const sites = { "site-1": "x1", "site-2": "x2", old: "", away: "", nobody: "" };
  expect(codesOf(await give("shutdown", { sites, timeout_ms: 1 }))).toEqual([
    "site-1 gone",
    "site-2 auth/not-authorized",
    "old runtime/site-too-old",
    "away runtime/site-away",
    "nobody auth/not-authorized",
  ]);
  expect(sent).toEqual(["site-1"]);
  expect(audited.map(({ outcome, facts }) => [facts?.["target"], outcome])).toEqual([
    ["site-1", "allowed"],
    ["site-2", "refused"],
    ["old", "refused"],
    ["away", "refused"],
    ["nobody", "refused"],
  ]);
});

it("passes no command on that was made for an earlier attachment", async () => {
  expect(codesOf(await give("restart", { sites: { "site-1": "x0" }, timeout_ms: 1 }))).toEqual(["site-1 runtime/site-away"]);
  expect(sent).toEqual([]);
});

it("knows no site of another study", async () => {
  expect(codesOf(await give("restart", { sites: { "site-1": "x1", old: "" }, timeout_ms: 1 }, "lungs"))).toEqual([
    "site-1 gone",
    "old runtime/site-unknown",
  ]);
  await expect(give("disable_client", { site: "old" }, "lungs")).rejects.toMatchObject({ code: "runtime/site-unknown" });
});

it("says whether the server would end, and ends it only when that was not all", async () => {
  expect(await give("shutdown", { server: true, is_trial: true, timeout_ms: 1 })).toEqual({ sites: {}, server: { stage: "accepted" } });
  expect(performed).toEqual([]);
  expect(await give("shutdown", { server: true, timeout_ms: 1 })).toEqual({ sites: {}, server: { stage: "accepted" } });
  expect(performed).toEqual(["shutdown"]);
});

it("disables and enables sites of the own organisation, seen or not", async () => {
  expect(await give("disable_client", { site: "away", reason: "why" })).toEqual({
    site: "away",
    was_disabled: false,
    is_known: true,
    left_jobs: ["job"],
  });
  await expect(give("disable_client", { site: "site-2" })).rejects.toMatchObject({ code: "auth/not-authorized" });
  await expect(give("enable_client", { site: "nobody" })).rejects.toMatchObject({ code: "auth/not-authorized" });
  expect(audited.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    "disable_client allowed",
    "disable_client refused",
    "enable_client refused",
  ]);
});

it("writes down what it does not understand", async () => {
  await expect(give("shutdown", { sites: { "site-1": 5 }, timeout_ms: 1 })).rejects.toMatchObject({ code: "runtime/invalid-argument" });
  expect(audited).toMatchObject([{ who: "ann@a.org", action: "shutdown", outcome: "refused", code: "runtime/invalid-argument" }]);
});
