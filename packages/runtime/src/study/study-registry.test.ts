import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "@flare-ts/contracts";
import { FlareError } from "@flare-ts/contracts/errors";
import { writeDurably } from "@flare-ts/provision/kit";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Logger } from "../logging/logger.js";
import { Studies } from "./studies.js";
import { StudyRegistry } from "./study-registry.js";

const logger = { info() {} } as unknown as Logger;
let folder: string;
const localDir = (): string => join(folder, "local");
const open = (write = writeDurably): Promise<StudyRegistry> =>
  StudyRegistry.open({ write, logger }, { localDir: localDir(), workspace: folder });
const lungs = { format_version: "1.0", studies: { lungs: { site_orgs: { a: ["a-1"] }, admins: ["a@a.org"] } } };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-studies-"));
  await mkdir(localDir());
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the studies of a server", () => {
  it("are those of the kit until they are changed, then those that were written, whatever the kit says", async () => {
    expect((await open()).studies.names()).toEqual([]);
    await writeFile(join(localDir(), "study_registry.json"), JSON.stringify(lungs));
    const registry = await open();
    expect(registry.studies.names()).toEqual(["lungs"]);
    await registry.change((studies) => ({ studies: studies.without("lungs"), answer: {} }));
    expect((await open()).studies.names()).toEqual([]);
    expect(JSON.parse(await readFile(join(folder, "study_registry.json"), "utf8"))).toEqual({ format_version: "1.0", studies: {} });
  });

  it("are changed one after another, and stay as they were when a change cannot be written", async () => {
    const registry = await open();
    const study = { siteOrgs: new Map(), users: [] };
    await Promise.all(["a", "b", "c"].map((name) => registry.change((studies) => ({ studies: studies.with(name, study), answer: {} }))));
    expect(registry.studies.names()).toEqual(["a", "b", "c"]);
    const full = await open(() => Promise.reject(Object.assign(new Error("no space"), { code: "ENOSPC" })));
    await expect(full.change((studies) => ({ studies: studies.without("a"), answer: {} }))).rejects.toMatchObject({
      code: "transfer/disk-full",
    });
    expect(full.studies.names()).toEqual(["a", "b", "c"]);
  });

  it("are not written when they could not be read again", async () => {
    const registry = await open();
    const users = Array.from({ length: limits.studyMembers + 1 }, (_, i) => `u${i}@a.org`);
    for (const many of [users, Array.from({ length: 9_000 }, (_, i) => `${"x".repeat(200)}${i}@a.org`)]) {
      const change = registry.change((studies) => ({ studies: studies.with("a", { siteOrgs: new Map(), users: many }), answer: {} }));
      await expect(change).rejects.toMatchObject({ code: "study/not-kept" });
    }
    // The one name that JavaScript does not let be a key like others.
    const proto = { siteOrgs: new Map([["__proto__", ["a-1"]]]), users: [] };
    await expect(registry.change((studies) => ({ studies: studies.with("a", proto), answer: {} }))).rejects.toMatchObject({
      code: "study/not-kept",
    });
    expect(registry.studies.names()).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    ["another version", { ...lungs, format_version: "2.0" }, /must be 1.0/],
    ["an unknown key", { ...lungs, studies: { lungs: { sites: ["a-1"] } } }, /unknown key 'sites'/],
    ["the reserved name", { ...lungs, studies: { default: {} } }, /'default' is the study of all/],
    ["a site in two organisations", { ...lungs, studies: { lungs: { site_orgs: { a: ["a-1"], b: ["a-1"] } } } }, /'a-1' is named twice/],
    ["a name that is none", { ...lungs, studies: { Lungs: {} } }, /the name 'Lungs' may hold small letters/],
  ])("refuse a file with %s, and say where", async (_what, document, message) => {
    await writeFile(join(localDir(), "study_registry.json"), JSON.stringify(document));
    const error = await open().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "kit/local-invalid", problems: [{ line: 1, message: expect.stringMatching(message) as string }] });
  });

  it("come back from whatever can be written, and a damaged file is refused with a code", async () => {
    const names = fc.stringMatching(/^[a-z0-9]([a-z0-9_-]{0,8}[a-z0-9])?$/).filter((name) => name !== "default");
    const org = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/), fc.constantFrom("constructor", "toString", "valueOf"));
    const site = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);
    const study = fc.record({
      site_orgs: fc
        .uniqueArray(fc.tuple(org, fc.array(site, { maxLength: 3 })), { selector: ([name]) => name, maxLength: 4 })
        .map((groups) => {
          const seen = new Set<string>();
          return groups.map(([name, sites]) => [name, sites.filter((each) => !seen.has(each) && seen.add(each))] as const);
        }),
      users: fc.uniqueArray(fc.constantFrom("a@a.org", "b@b.org", "c@c.org")),
    });
    const studies = fc.uniqueArray(fc.tuple(names, study), { selector: ([name]) => name, minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(studies, fc.nat(), fc.integer({ min: 1, max: 255 }), async (entries, at, mask) => {
        await rm(join(folder, "study_registry.json"), { force: true });
        const made = entries.reduce(
          (all, [name, { site_orgs, users }]) => all.with(name, { siteOrgs: new Map(site_orgs), users }),
          Studies.none,
        );
        await (await open()).change(() => ({ studies: made, answer: {} }));
        expect((await open()).studies.toDocument()).toEqual(made.toDocument());
        const bytes = await readFile(join(folder, "study_registry.json"));
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ mask;
        await writeFile(join(folder, "study_registry.json"), bytes);
        const damaged = await open().catch((error: unknown) => error);
        const isKnown = damaged instanceof StudyRegistry || (damaged instanceof FlareError && damaged.code === "kit/local-invalid");
        expect(isKnown).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
