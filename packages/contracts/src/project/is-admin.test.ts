import { describe, expect, it } from "vitest";
import { isAdmin } from "./is-admin.js";

describe("a certificate", () => {
  it.each([
    ["ann@a.org", "lead", true],
    ["ann@a.org", "auditor", true],
    ["site-1", "auditor", false],
    ["ann@a.org", "client", false],
    ["ann@a.org", "server", false],
    ["ann@a.org", "relay", false],
    ["ann@a.org", "", false],
    ["ann@a.org", "issuer:client", false],
  ])("of %s with the role '%s' is an admin's: %s", (name, role, expected) => {
    expect(isAdmin(name, role)).toBe(expected);
  });
});
