import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { provisionExample } from "../../test/provision-example.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { revokeParticipant } from "../authority/revoke.js";
import { readSubject } from "./read-certificate.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder.remove();
});

const revoke = async (name: string): Promise<unknown> =>
  await revokeParticipant({ workspace: join(folder.dir, "workspace"), caKey: "clear", name, reason: "superseded" });
const certificateOf = async (prodDir: string, name: string): Promise<X509Certificate> =>
  new X509Certificate(await readFile(join(prodDir, name, "startup", "client.crt")));

describe("a project file that has changed", () => {
  it("gives another role to a known name once its certificate was taken back", async () => {
    const first = await provisionExample(folder.dir);
    await revoke("admin@example.org");
    const second = await provisionExample(folder.dir, { 17: "    role: project_admin" });
    const [before, after] = await Promise.all([first, second].map(({ prodDir }) => certificateOf(prodDir, "admin@example.org")));
    expect(after && readSubject(after).role).toBe("project_admin");
    expect(after?.publicKey.equals(before?.publicKey ?? after.publicKey)).toBe(false);
  });

  it("leaves in whom it does not name any more, and says so until that is taken back", async () => {
    const warningsOf = async (replacements: Parameters<typeof provisionExample>[1]): Promise<string> =>
      (await provisionExample(folder.dir, replacements)).warnings.map(({ message }) => message).join();
    const renamed = { 10: "  - name: hospital-b" };
    await provisionExample(folder.dir);
    expect(await warningsOf(renamed)).toMatch(/^not in the project file.*let in with an earlier one: 'hospital-a'; 'flare cert revoke'/);
    await revoke("hospital-a");
    expect(await warningsOf(renamed)).toBe("");
  });

  it("says once what another kind of keys or time does not bring to those that are there", async () => {
    const change = { 18: "certificates: { key_type: p256, leaf_lifetime: 36h }\nbuilders:" };
    const first = await provisionExample(folder.dir);
    const second = await provisionExample(folder.dir, change);
    expect(second.warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^key_type is p256, and was rsa-2048: .*who has a key keeps its kind/),
      expect.stringMatching(/^leaf_lifetime is 36h, and was 90d: certificates that are there stay/),
    ]);
    expect((await certificateOf(second.prodDir, "hospital-a")).raw).toEqual((await certificateOf(first.prodDir, "hospital-a")).raw);
    expect((await provisionExample(folder.dir, change)).warnings).toEqual([]);
  });
});
