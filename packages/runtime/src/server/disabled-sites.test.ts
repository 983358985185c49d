import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeDurably } from "@flare-ts/provision/kit";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DisabledSites } from "./disabled-sites.js";

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), "flare-disabled-"));
});
afterEach(() => rm(workspace, { recursive: true, force: true }));

const entry = { org: "o", by: "a@b.org", at_ms: 1, reason: "why" };
const open = (write = writeDurably): Promise<DisabledSites> => DisabledSites.open({ write }, { workspace });

it("sites stay disabled, as they were at first, until they are enabled, whichever process looks", async () => {
  const sites = await open();
  expect(await sites.disable("site-1", entry)).toBe(true);
  expect(await sites.disable("site-1", { ...entry, by: "another" })).toBe(false);
  expect(await sites.disable("__proto__", { ...entry, org: null })).toBe(true);
  expect((await open()).get("site-1")).toEqual(entry);
  expect((await open()).get("toString")).toBeUndefined();
  expect(await sites.enable("site-1")).toBe(true);
  expect(await sites.enable("site-1")).toBe(false);
  expect((await open()).get("site-1")).toBeUndefined();
});

it("changes that come at the same time are all kept", async () => {
  const sites = await open();
  const names = Array.from({ length: 20 }, (_, i) => `site-${i}`);
  await Promise.all(names.map((name) => sites.disable(name, entry)));
  expect([...(await open()).all().keys()].toSorted()).toEqual(names.toSorted());
});

it("what cannot be written is not in force", async () => {
  const sites = await open(() => Promise.reject(Object.assign(new Error("no space"), { code: "ENOSPC" })));
  await expect(sites.disable("site-1", entry)).rejects.toMatchObject({ code: "transfer/disk-full" });
  expect(sites.get("site-1")).toBeUndefined();
});

it("a server does not start with a file that it cannot read: it would let everybody in", async () => {
  await writeFile(join(workspace, "disabled_clients.json"), '{"format_version":"1.0","sites":{"site-1":{}}}');
  await expect(open()).rejects.toMatchObject({ code: "kit/local-invalid" });
  await writeFile(join(workspace, "disabled_clients.json"), "");
  await expect(open()).rejects.toMatchObject({ code: "kit/local-invalid" });
  expect(await readFile(join(workspace, "disabled_clients.json"), "utf8")).toBe("");
});
