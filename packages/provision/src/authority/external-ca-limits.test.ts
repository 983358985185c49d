import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { provisionExample } from "../../test/provision-example.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { importCa, requestCa, useCa } from "./external-ca.js";

const project = "example_project";
const serverRenews = { 24: "certificates: { key_type: p256 }", 22: "", 23: "" };
const holderRenews = { ...serverRenews, 24: "certificates: { key_type: p256, renewal: ca_holder }" };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const place = () => ({ workspace: join(folder.dir, "workspace"), project, caKey: "clear" }) as const;
const openssl = async (...args: string[]): Promise<unknown> => await promisify(execFile)("openssl", args, { cwd: folder.dir });
const textOf = async (file: string): Promise<string> => await readFile(join(folder.dir, file), "utf8");

/** A root of a house, as its own tools make it. */
async function house(constraints: string): Promise<void> {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "house.key", "-out", "house.pem"];
  const extensions = ["-addext", `basicConstraints=critical,${constraints}`, "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  await writeFile(join(folder.dir, "empty.cnf"), "[req]\ndistinguished_name=names\n[names]\n");
  await openssl("req", "-x509", "-config", "empty.cnf", ...curve, "-subj", "/CN=House", "-days", "30", ...extensions);
}

/** The house signs the project's request as an authority with these extensions. */
async function signedChain(extensions: string): Promise<string> {
  await writeFile(join(folder.dir, "project.csr"), await requestCa({ ...place(), keyType: "p256" }));
  await writeFile(join(folder.dir, "extensions"), `${extensions}\nkeyUsage=critical,keyCertSign,cRLSign\n`);
  const by = ["-CA", "house.pem", "-CAkey", "house.key", "-days", "20", "-extfile", "extensions"];
  await openssl("x509", "-req", "-in", "project.csr", ...by, "-out", "project.pem");
  return `${await textOf("project.pem")}${await textOf("house.pem")}`;
}

describe("the path lengths of a CA from elsewhere", () => {
  it("are looked at before it is taken: one that allows no authority below it is of no use", async () => {
    await house("CA:TRUE,pathlen:0");
    const error = await errorOf(
      useCa({ ...place(), chainPem: await textOf("house.pem"), privateKeyPem: await textOf("house.key"), keyType: "p256" }),
    );
    expect(error.code).toBe("project/external-ca-invalid");
    expect(error.message).toContain("allow no authority below themselves");
  });

  it.each([
    ["CA:TRUE", "CA:TRUE,pathlen:0"],
    ["CA:TRUE,pathlen:1", "CA:TRUE"],
  ])("must leave room where the server is to renew, and need not where nobody issues below: %s, %s", async (root, authority) => {
    await house(root);
    await importCa({ ...place(), chainPem: await signedChain(`basicConstraints=critical,${authority}`) });
    const error = await errorOf(provisionExample(folder.dir, serverRenews));
    expect([error.code, error.facts]).toEqual([
      "project/path-length",
      { file: join(folder.dir, "workspace", project, "state", "cert.json") },
    ]);
    await provisionExample(folder.dir, holderRenews);
  });

  it("may be just long enough for the server to renew", async () => {
    await house("CA:TRUE,pathlen:2");
    await importCa({ ...place(), chainPem: await signedChain("basicConstraints=critical,CA:TRUE,pathlen:1") });
    expect((await provisionExample(folder.dir, serverRenews)).kits).toHaveLength(3);
  });
});

it("a CA whose certificate has a critical extension that participants refuse is refused at once", async () => {
  await house("CA:TRUE");
  const chainPem = await signedChain("basicConstraints=critical,CA:TRUE\nnameConstraints=critical,permitted;DNS:example.org");
  const error = await errorOf(importCa({ ...place(), chainPem }));
  expect(error.code).toBe("project/external-ca-invalid");
  expect(error.message).toContain("has the critical extension 2.5.29.30");
});
