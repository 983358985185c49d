import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Revocation, TrustListDocument } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { TestCertificate, testNow } from "../../test/test-authority.js";
import { TrustKeeper } from "./trust-keeper.js";
import { signTrustList } from "./trust-list.js";

const nowMs = testNow.getTime();
const [first, second, third] = ["1", "2", "3"].map(() => TestCertificate.root({ name: "p" })) as [
  TestCertificate,
  TestCertificate,
  TestCertificate,
];
const revoked: Revocation = { name: "site-1", serials: [], revoked_at_ms: nowMs, reason: "keyCompromise" };

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ dir, remove } = await temporaryFolder());
});
afterEach(async () => await remove());

async function open(rootCaPem = first.pem): Promise<TrustKeeper> {
  const startup = join(dir, "startup");
  await mkdir(startup, { recursive: true });
  const files = { dir: startup, config: "", certificate: "", privateKey: "", rootCa: join(startup, "rootCA.pem"), customCa: undefined };
  return await TrustKeeper.open({ dir, project: "p", rootCaPem, startup: files });
}

function list(number: number, signers: readonly TestCertificate[], change: Partial<TrustListDocument> = {}): string {
  return signTrustList({ project: "p", number, issued_at_ms: nowMs, roots: [first.pem], revoked: [], ...change }, signers);
}

async function keep(keeper: TrustKeeper, text: string): Promise<void> {
  keeper.accept(text);
  await keeper.save();
}

describe("the trust of a participant", () => {
  it("is what its kit says, then the newest list of kit and workspace, from one start to the next", async () => {
    expect((await open()).trust.number).toBe(0);
    await keep(await open(), list(1, [first], { revoked: [revoked] }));
    expect((await open()).trust).toMatchObject({ number: 1, revoked: [revoked] });
    await writeFile(join(dir, "startup/trust.json"), list(3, [first]));
    const newer = await open();
    expect(newer.trust.number).toBe(3);
    await keep(newer, list(4, [first]));
    expect((await open()).trust.number).toBe(4);
  });

  it.runIf(process.platform !== "win32")("is kept in a folder that is its owner's alone", async () => {
    await keep(await open(), list(1, [first]));
    expect((await stat(join(dir, "identity"))).mode & 0o777).toBe(0o700);
  });

  it("follows a change of roots whose lists the kit's own root did not sign, and keeps no more steps than it needs", async () => {
    const keeper = await open();
    await keep(keeper, list(1, [first], { roots: [first.pem, second.pem] }));
    await keep(keeper, list(2, [second], { roots: [second.pem] }));
    await keep(keeper, list(3, [second], { roots: [second.pem, third.pem] }));
    await keep(keeper, list(4, [third], { roots: [third.pem] }));
    for (let number = 5; number < 9; number++) await keep(keeper, list(number, [third], { roots: [third.pem] }));
    const { trust } = await open();
    expect(trust.number).toBe(8);
    expect(trust.verify(third.issue({ name: "site-1", role: "client" }).pem, { nowMs }).ok).toBe(true);
    expect(trust.verify(first.issue({ name: "site-1", role: "client" }).pem, { nowMs }).ok).toBe(false);
    expect(JSON.parse(await readFile(join(dir, "identity/trust-steps.json"), "utf8"))).toHaveLength(2);
    const back = await open();
    await keep(back, list(9, [first, third], { roots: [third.pem] }));
    expect((await open()).trust.number).toBe(9);
  });

  it("passes over older lists in the workspace of a kit with newer roots, though nobody can verify them any more", async () => {
    const keeper = await open();
    await keep(keeper, list(1, [first], { roots: [first.pem, second.pem] }));
    await keep(keeper, list(2, [second], { roots: [second.pem] }));
    await keep(keeper, list(3, [second], { roots: [second.pem] }));
    await writeFile(join(dir, "startup/trust.json"), list(7, [third], { roots: [third.pem] }));
    expect((await open(third.pem)).trust.number).toBe(7);
    await writeFile(join(dir, "startup/trust.json"), list(2, [third], { roots: [third.pem] }));
    expect((await errorOf(open(third.pem))).code).toBe("trust/signature-invalid");
  });

  it("tells its followers of each list that comes into force, and of no other", async () => {
    const keeper = await open();
    const numbers: number[] = [];
    const stop = keeper.follow(() => numbers.push(keeper.trust.number));
    keeper.accept(list(1, [first]));
    expect(() => keeper.accept(list(2, [second]))).toThrow(expect.objectContaining({ code: "trust/signature-invalid" }));
    keeper.accept(list(3, [first]));
    stop();
    keeper.accept(list(4, [first]));
    expect(numbers).toEqual([1, 3]);
  });

  it.each([
    ["identity/trust.json", list(1, [second]), "trust/signature-invalid"],
    ["identity/trust.json", "{", "trust/list-invalid"],
    ["startup/trust.json", list(1, [first], { project: "q" }), "trust/wrong-project"],
  ])("is not begun without %s when that is damaged", async (file, text, code) => {
    await mkdir(join(dir, "identity"), { recursive: true });
    await mkdir(join(dir, "startup"), { recursive: true });
    await writeFile(join(dir, file), text);
    const error = await errorOf(open());
    expect(error.code).toBe(code);
    expect(error.facts["file"]).toBe(join(dir, file));
  });
});
