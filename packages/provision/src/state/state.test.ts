import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { provisionExample } from "../../test/provision-example.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { revokeParticipant } from "../authority/revoke.js";
import { type CaKey, KeyVault } from "./key-vault.js";
import { readState } from "./project-state.js";

const passphrase = "correct horse battery staple";
const sealed: CaKey = { passphrase };
const curve = { 24: "      root_valid_days: 360\ncertificates: { key_type: p256 }" };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder.remove();
});

const projectDir = (): string => join(folder.dir, "workspace/example_project");
const files = ["ca.json", "cert.json"];
const textOf = async (file: string): Promise<string> => await readFile(join(projectDir(), "state", file), "utf8");
const provisionWith = async (caKey: CaKey): Promise<string> => (await provisionExample(folder.dir, curve, { caKey })).prodDir;

/** Parts of every private key of a workspace, in the forms in which text could hold them. */
async function secretsOf(prodDir: string): Promise<string[]> {
  const { state } = await readState(projectDir(), new KeyVault(sealed, "state"));
  if (state === undefined) throw new Error("there is no state");
  const stored = [state.root, ...state.participants.values(), state.serverIssuer].map((one) => one?.privateKeyPem ?? "");
  const kits = await Promise.all((await readdir(prodDir)).map(async (name) => await readdir(join(prodDir, name, "startup"))));
  expect(kits.flat()).toContain("client.key");
  return stored.flatMap((pem) => {
    const { d = "" } = createPrivateKey(pem).export({ format: "jwk" });
    const body = pem.split("\n").slice(1, -2);
    return [d, Buffer.from(d, "base64url").toString("hex"), ...body.map((line) => line.slice(0, 40))];
  });
}

describe("the private keys of a workspace", () => {
  it("are sealed by a passphrase, each for itself, and opened by no other", async () => {
    const prodDir = await provisionWith(sealed);
    const texts = await Promise.all(files.map(textOf));
    expect(texts.join("")).not.toContain("PRIVATE KEY");
    expect(texts[1]?.match(/"sealed:v1:/g)).toHaveLength(4);
    for (const secret of await secretsOf(prodDir)) for (const text of texts) expect(text).not.toContain(secret);
    const wrong = await errorOf(provisionWith({ passphrase: `${passphrase}!` }));
    const errors = [wrong, await errorOf(provisionWith("clear"))];
    expect(errors.map(({ code }) => code)).toEqual(["project/passphrase-wrong", "project/passphrase-missing"]);
    expect(JSON.stringify(errors)).not.toContain(passphrase);
    expect(await Promise.all(files.map(textOf))).toEqual(texts);
    await provisionWith({ passphrase });
  });

  it("in clear text are read as FLARE wrote them, and sealed once there is a passphrase", async () => {
    const first = await provisionWith("clear");
    const key = await readFile(join(first, "hospital-a/startup/client.key"), "utf8");
    expect(JSON.parse(await textOf("cert.json"))).toMatchObject({ "hospital-a": { pri_key: key } });
    // FLARE has no ca.json.
    await rm(join(projectDir(), "state/ca.json"));
    const second = await provisionWith(sealed);
    expect(await readFile(join(second, "hospital-a/startup/client.key"), "utf8")).toBe(key);
    for (const file of files) expect(await textOf(file)).not.toContain("PRIVATE KEY");
  });

  it("are not sealed by a passphrase that is too short, and nothing is written", async () => {
    expect((await errorOf(provisionWith({ passphrase: "1234567" }))).code).toBe("project/passphrase-too-short");
    expect(await readdir(folder.dir)).toEqual(["project.yml"]);
  });

  it("are asked for only when the project file is right, and are told how they are kept so far", async () => {
    const asked: string[] = [];
    const ask = async (stored: string): Promise<CaKey> => {
      asked.push(stored);
      return await Promise.resolve(stored === "none" ? "clear" : sealed);
    };
    await errorOf(provisionExample(folder.dir, { 2: "nam: x" }, { caKey: ask }));
    expect(asked).toEqual([]);
    for (let run = 0; run < 3; run++) await provisionExample(folder.dir, curve, { caKey: ask });
    expect(asked).toEqual(["none", "clear", "sealed"]);
  });
});

describe("a sealed key", () => {
  const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();

  it("is opened for its owner only, and not after a change of any character", async () => {
    const vault = new KeyVault(sealed, "cert.json");
    const text = await vault.seal(pem, "the root");
    expect(await vault.open(text, "the root")).toBe(pem);
    expect(await vault.seal(pem, "the root")).not.toBe(text);
    expect((await errorOf(vault.open(text, "participant 'a'"))).code).toBe("project/state-invalid");
    const start = text.lastIndexOf(":") + 1;
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: text.length - start - 5 }), fc.constantFrom("A", "B", "x", "y", "0", "9"), async (at, char) => {
        const changed = text.slice(0, start + at) + char + text.slice(start + at + 1);
        if (changed === text) return;
        const error = await errorOf(vault.open(changed, "the root"));
        expect(error.code).toBe("project/state-invalid");
      }),
      { numRuns: 200 },
    );
  });
});

describe("a passphrase that keeps the keys made of it", () => {
  it("opens what it sealed before without making them again", async () => {
    const derivedKeys = new Map<string, Promise<Buffer>>();
    const text = await new KeyVault({ ...sealed, derivedKeys }, "cert.json").seal("a key", "the root");
    const [made] = [...derivedKeys.values()];
    expect(await new KeyVault({ ...sealed, derivedKeys }, "cert.json").open(text, "the root")).toBe("a key");
    expect([...derivedKeys.values()]).toEqual([made]);
    expect(await new KeyVault(sealed, "cert.json").open(text, "the root")).toBe("a key");
  });
});

describe("a damaged state", () => {
  it("is refused where a certificate can be read only by forgiving what is wrong with its base64", async () => {
    await provisionWith("clear");
    const path = join(projectDir(), "state", "ca.json");
    const document = JSON.parse(await readFile(path, "utf8")) as { server_issuer: { cert: string } };
    // More letters than whole bytes have.
    document.server_issuer.cert = document.server_issuer.cert.replace(/(?=\n-----END)/, "A");
    await writeFile(path, JSON.stringify(document));
    expect((await errorOf(provisionWith("clear"))).code).toBe("project/state-invalid");
  });

  it("is refused by an error of ours that shows no part of a key, whatever was damaged", async () => {
    const prodDir = await provisionWith("clear");
    await revokeParticipant({ workspace: join(folder.dir, "workspace"), caKey: "clear", name: "hospital-a", reason: "superseded" });
    const secrets = await secretsOf(prodDir);
    const originals = await Promise.all(files.map(textOf));
    const damage = fc.record({
      which: fc.nat({ max: 1 }),
      at: fc.nat({ max: 20_000 }),
      length: fc.nat({ max: 300 }),
      put: fc.oneof(fc.constantFrom("", "{", '"', "\\", "null", "-----BEGIN"), fc.string({ maxLength: 4 })),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ which, at, length, put }) => {
        const original = originals[which] ?? "";
        const place = at % original.length;
        await writeFile(join(projectDir(), "state", files[which] ?? ""), original.slice(0, place) + put + original.slice(place + length));
        const error = await provisionWith("clear").catch((reason: unknown) => reason);
        for (const [index, file] of files.entries()) await writeFile(join(projectDir(), "state", file), originals[index] ?? "");
        // Damage that says the same thing, such as between two words, is none.
        const code = error instanceof FlareError ? error.code : typeof error === "string" ? "none" : String(error);
        expect(["none", "project/state-invalid", "project/role-changed", "project/root-differs", "project/no-authority"]).toContain(code);
        const { stack = "", cause } = error instanceof Error ? error : new Error("none");
        const shown = [JSON.stringify(error), stack, String(cause), cause instanceof Error ? cause.stack : ""].join("\n");
        for (const secret of secrets) expect(shown).not.toContain(secret);
      }),
      { numRuns: Math.max(1, Math.floor(Number(process.env["FLARE_MUTATIONS"] ?? 400) / 10)) },
    );
  });
});
