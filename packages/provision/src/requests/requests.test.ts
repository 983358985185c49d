import { X509Certificate } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Exchange } from "../../test/exchange.js";
import { readKit } from "../kit/read-kit.js";
import { verifyKit } from "../kit/verify-kit.js";
import { readSubject } from "../pki/read-certificate.js";

let exchange: Exchange;
beforeAll(async () => {
  exchange = await Exchange.create();
});
afterAll(() => exchange.remove());

describe("a kit made where its key is", () => {
  it.each(["server", "site", "user"] as const)("is good for a %s, from request to verified kit", async (who) => {
    const asked = await exchange.request(who);
    const approved = await exchange.approve(who);
    const kit = await exchange.package(who);
    expect(kit.isFingerprintChecked).toBe(true);
    const read = await readKit(kit.dir);
    await verifyKit(read, { now: exchange.now });
    expect({ name: read.name, role: read.role, project: read.project }).toEqual({
      name: asked.claim.name,
      role: asked.claim.certificateType,
      project: "cancer",
    });
    expect(read.endpoint).toMatchObject({ host: "fl.example.org", port: 8102 });
    expect(read.privateKeyPem).toBe(await readFile(asked.privateKey, "utf8"));
    const certificate = new X509Certificate(read.certificatePem);
    expect(readSubject(certificate).org).toBe("clinic");
    expect(certificate.validToDate.getTime()).toBe(approved.validUntil.getTime());
    expect(approved.validUntil.getTime() - exchange.now.getTime()).toBe(90 * 24 * 3_600_000);
    expect((await stat(asked.privateKey)).mode & 0o777).toBe(0o600);
  });
});
