import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hideSecrets } from "../executor/hide-secrets.js";
import { SiteSecrets } from "./site-secrets.js";

describe("secrets of a site", () => {
  it("come from files and from the environment, as they are when they are asked for", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flare-secrets-"));
    const file = join(folder, "token");
    await writeFile(file, "first\n");
    const secrets = new SiteSecrets(
      { environment: { HUB: "from there" } },
      { sources: { a: { from_file: file }, b: { from_env: "HUB" } } },
    );
    expect(await secrets.read(["a", "b"])).toEqual({ a: "first", b: "from there" });
    await writeFile(file, "second");
    expect(await secrets.read(["a"])).toEqual({ a: "second" });
    await rm(folder, { recursive: true });
    await expect(secrets.read(["a"])).rejects.toMatchObject({
      code: "client-api/secret-missing",
      message: expect.stringContaining("ENOENT"),
    });
  });

  it("that are missing are named with what is missing", async () => {
    const secrets = new SiteSecrets({ environment: {} }, { sources: { b: { from_env: "HUB" } } });
    await expect(secrets.read(["b"])).rejects.toMatchObject({ message: expect.stringContaining("without the variable HUB") });
    await expect(secrets.read(["c"])).rejects.toMatchObject({ facts: { secret: "c" } });
    await expect(secrets.read(["constructor"])).rejects.toMatchObject({ code: "client-api/secret-missing" });
  });

  it("stand in no line of a report, a longer one before a shorter one that it contains", () => {
    expect(hideSecrets(["key=abcdef", "abcd", "ab"], ["abcd", "abcdef", "ab", ""])).toEqual(["key=(secret)", "(secret)", "ab"]);
  });

  it("of several lines stand in no line either", () => {
    const key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\r\n-----END PRIVATE KEY-----";
    expect(hideSecrets(["read MC4CAQAwBQYDK2VwBCIEIA", "-----END PRIVATE KEY-----"], [key])).toEqual(["read (secret)", "(secret)"]);
  });
});
