import { describe, expect, it } from "vitest";
import { type AuthorizationPolicy, type AuthorizationRequest, authorizationPolicySchema, isAllowed } from "./authorization-policy.js";
import { defaultAuthorizationPolicy } from "./default-policy.js";
import { categoryOf, type Right, rightsByCategory, standaloneRights } from "./rights.js";

const user = { name: "alice@a.org", org: "a", role: "lead" };
const policyOf = (lead: AuthorizationPolicy["permissions"][string]): AuthorizationPolicy => ({
  format_version: "1.0",
  permissions: { lead },
});
const ask = (lead: AuthorizationPolicy["permissions"][string], rest: Partial<AuthorizationRequest> = {}): boolean =>
  isAllowed(policyOf(lead), { right: "abort_job", user, site: { org: "b" }, ...rest });

describe("a condition", () => {
  const submitters = {
    self: { name: "alice@a.org", org: "a" },
    colleague: { name: "bob@a.org", org: "a" },
    stranger: { name: "eve@e.org", org: "e" },
  };

  it.each<[string, Partial<AuthorizationRequest>, boolean]>([
    ["any", {}, true],
    ["all", {}, true],
    ["none", {}, false],
    ["no", {}, false],
    ["not any", {}, false],
    ["not none", {}, true],
    ["o:site", {}, false],
    ["o:site", { site: { org: "a" } }, true],
    ["not o:site", {}, true],
    ["o:a", {}, true],
    ["org:a", {}, true],
    ["o:b", {}, false],
    ["o:submitter", { submitter: submitters.self }, true],
    ["o:submitter", { submitter: submitters.colleague }, true],
    ["o:submitter", { submitter: submitters.stranger }, false],
    ["n:submitter", { submitter: submitters.self }, true],
    ["n:submitter", { submitter: submitters.colleague }, false],
    ["not n:submitter", { submitter: submitters.colleague }, true],
    ["n:alice@a.org", {}, true],
    ["name:alice@a.org", {}, true],
    ["n:bob@a.org", {}, false],
    ["not n:bob@a.org", {}, true],
    ["study:lungs", { study: "lungs" }, true],
    ["study:lungs", { study: "hearts" }, false],
    ["not study:lungs", { study: "hearts" }, true],
  ])("%s with %j is %s", (condition, rest, expected) => {
    expect(ask(condition, rest)).toBe(expected);
    expect(ask({ abort_job: condition }, rest)).toBe(expected);
  });

  it("on a submitter or a study that nobody knows is not met, negated or not", () => {
    for (const condition of ["o:submitter", "not o:submitter", "n:submitter", "not n:submitter", "study:s", "not study:s"])
      expect(ask(condition)).toBe(false);
  });

  it("on the organisation of a site that nobody knows is not met, negated or not", () => {
    for (const condition of ["o:site", "not o:site"]) expect(ask(condition, { site: { org: undefined } })).toBe(false);
    expect(ask("any", { site: { org: undefined } })).toBe(true);
  });

  it("list allows what one of them allows, and an empty one nothing", () => {
    expect(ask(["none", "o:a"])).toBe(true);
    expect(ask({ abort_job: ["none", "o:b"] })).toBe(false);
    expect(ask([])).toBe(false);
  });
});

describe("a policy", () => {
  it("goes by the right, then by its category, then by *", () => {
    expect(ask({ abort_job: "none", manage_job: "any", "*": "any" })).toBe(false);
    expect(ask({ manage_job: "none", "*": "any" })).toBe(false);
    expect(ask({ "*": "any" })).toBe(true);
    expect(ask({ view: "any" })).toBe(false);
  });

  it("refuses roles that it does not name, super and those of JavaScript's objects too", () => {
    for (const role of ["member", "super", "constructor", "__proto__", ""]) expect(ask("any", { user: { ...user, role } })).toBe(false);
    expect(ask({}, { right: "constructor" as Right })).toBe(false);
  });

  it("with an unknown right or condition is refused", () => {
    for (const lead of [{ abort: "maybe" }, { abortt: "any" }, "o:", "not", 5, { abort: ["any", 5] }]) {
      expect(authorizationPolicySchema.safeParse({ format_version: "1.0", permissions: { lead } }).success).toBe(false);
    }
  });
});

describe("the default policy", () => {
  const table: readonly [Right, string, string, string, string][] = [
    ["submit_job", "any", "none", "any", "none"],
    ["clone_job", "any", "none", "submitter", "none"],
    ["abort_job", "any", "submitters org", "submitter", "none"],
    ["download_job", "any", "submitters org", "submitter", "none"],
    ["list_jobs", "any", "any", "any", "any"],
    ["restart", "any", "site", "site", "none"],
    ["cat", "any", "site", "site", "none"],
    ["byoc", "any", "none", "any", "none"],
    ["server-predeployed-flwr", "any", "none", "none", "none"],
    ["update_trust", "any", "none", "none", "none"],
  ];

  it.each(table)("gives %s as FLARE does", (right, ...expected) => {
    const outcome = (role: string): string => {
      const at = (name: string, org: string, submitter: { name: string; org: string }): boolean =>
        isAllowed(defaultAuthorizationPolicy, { right, user: { name, org, role }, site: { org: "site" }, submitter });
      if (at("a", "x", { name: "b", org: "y" })) return "any";
      if (at("a", "x", { name: "b", org: "x" })) return "submitters org";
      if (at("a", "site", { name: "b", org: "y" })) return "site";
      return at("a", "x", { name: "a", org: "x" }) ? "submitter" : "none";
    };
    expect(["project_admin", "org_admin", "lead", "member"].map(outcome)).toEqual(expected);
  });

  it("is one that the schema accepts", () => {
    expect(authorizationPolicySchema.safeParse(defaultAuthorizationPolicy).success).toBe(true);
  });
});

describe("the table of rights", () => {
  it("puts every right into one category at most", () => {
    const all = [...Object.values(rightsByCategory).flat(), ...standaloneRights];
    expect(new Set(all).size).toBe(all.length);
    expect(categoryOf("grep")).toBe("shell_commands");
    expect(categoryOf("submit_job")).toBeUndefined();
  });
});
