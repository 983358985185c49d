import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openVault } from "./open-vault.js";
import { Passwords } from "./passwords.js";
import { createId, createToken } from "./tokens.js";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flare-vault-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the vault", () => {
  it("opens what it sealed, for the same purpose only, after a restart too", async () => {
    const sealed = (await openVault({ randomBytes }, { dataFolder: folder })).seal("totp a", "secret");
    const vault = await openVault({ randomBytes }, { dataFolder: folder });
    expect(vault.open("totp a", sealed)).toBe("secret");
    expect(sealed).not.toContain(Buffer.from("secret").toString("base64url"));
    expect(vault.seal("totp a", "secret")).not.toBe(sealed);
    expect(() => vault.open("totp b", sealed)).toThrow("another key");
    const bytes = Buffer.from(sealed, "base64url");
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => vault.open("totp a", changed.toString("base64url"))).toThrow("another key");
    }
    expect(() => vault.open("totp a", "")).toThrow("another key");
    expect(() => vault.open("totp a", sealed.slice(0, 20))).toThrow("another key");
  });

  it("keeps its key readable by its owner only, and refuses one that others can read or that is damaged", async () => {
    await openVault({ randomBytes }, { dataFolder: folder });
    const path = join(folder, "dashboard.key");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const key = readFileSync(path, "utf8");
    chmodSync(path, 0o644);
    await expect(openVault({ randomBytes }, { dataFolder: folder })).rejects.toMatchObject({ code: "dashboard/invalid-settings" });
    chmodSync(path, 0o600);
    writeFileSync(path, key.slice(0, 20));
    await expect(openVault({ randomBytes }, { dataFolder: folder })).rejects.toMatchObject({ code: "dashboard/invalid-settings" });
  });
});

describe("passwords", () => {
  const cost = { logN: 4, r: 8, p: 1 };

  it("are hashed with a salt of their own, and checked by the cost that the hash names", async () => {
    const passwords = new Passwords({ randomBytes }, { cost, atOnce: 2, maxWaiting: 10 });
    const hash = await passwords.hash("Straße");
    expect(hash).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$/);
    expect(await passwords.hash("Straße")).not.toBe(hash);
    const later = new Passwords({ randomBytes }, { cost: { logN: 5, r: 8, p: 1 }, atOnce: 2, maxWaiting: 10 });
    expect(await later.verify("Stra\u00dfe", hash)).toBe(true);
    expect(await later.verify("Strasse", hash)).toBe(false);
    expect(await later.verify("Straße", null)).toBe(false);
    expect(await later.verify("Straße", "nonsense")).toBe(false);
  });

  it("are checked a few at a time, and refused when too many wait", async () => {
    const passwords = new Passwords({ randomBytes }, { cost: { logN: 12, r: 8, p: 1 }, atOnce: 1, maxWaiting: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => passwords.verify("x", null)));
    expect(outcomes.map(({ status }) => status).filter((status) => status === "fulfilled")).toHaveLength(4);
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: "dashboard/busy" } });
    expect(await passwords.verify("x", null)).toBe(false);
  });

  it("take the cost that is recommended, with all the memory that it asks for", async () => {
    const passwords = new Passwords({ randomBytes }, { cost: { logN: 17, r: 8, p: 1 }, atOnce: 1, maxWaiting: 0 });
    expect(await passwords.verify("x", await passwords.hash("x"))).toBe(true);
  });
});

it("tokens have 256 bits, ids are version 4", () => {
  expect(createToken(randomBytes)).toMatch(/^[\w-]{43}$/);
  const ids = Array.from({ length: 100 }, () => createId(randomBytes));
  expect(new Set(ids).size).toBe(100);
  expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true);
});
