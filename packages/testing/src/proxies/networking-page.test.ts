import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provision } from "@flare-ts/provision";
import { readKit } from "@flare-ts/provision/kit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { blocksOf } from "./documented-configuration.js";

const page = await readFile(new URL("../../../../docs/networking.md", import.meta.url), "utf8");
const documents = blocksOf(page, "yaml").flatMap((block) => parseAllDocuments(block).map((document) => ({ block, document })));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-networking-page-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("docs/networking.md", () => {
  it("shows YAML that parses, and objects of Kubernetes with a kind, a name and a namespace", () => {
    for (const { document } of documents) expect(document.errors).toEqual([]);
    const objects = documents.map(({ document }) => document.toJS() as { readonly kind?: string }).filter(({ kind }) => kind !== undefined);
    expect(objects.map(({ kind }) => kind)).toEqual(["Service", "Gateway", "TLSRoute", "Ingress", "ConfigMap", "Ingress", "ConfigMap"]);
    for (const object of objects) {
      expect(object).toMatchObject({
        apiVersion: expect.any(String),
        metadata: { name: expect.any(String), namespace: expect.any(String) },
      });
    }
  });

  it("shows a project whose kits dial and listen as the page says", async () => {
    const block = documents.find(({ block: text }) => text.includes("api_version"))?.block ?? "";
    const projectFile = join(folder, "project.yml");
    const first = await provisionText(projectFile, block.replace(/^custom_ca_cert:.*\n/m, ""));
    // Any certificate of an authority serves for that of the institution; the project's own root is one.
    await writeFile(join(folder, "institution.pem"), (await readKit(join(first, "hospital-a"))).rootCaPem);
    const second = await provisionText(projectFile, block.replace(/^custom_ca_cert:.*$/m, "custom_ca_cert: institution.pem"));
    const [server, site, admin] = await Promise.all(
      ["fl.example.org", "hospital-a", "admin@example.org"].map((name) => readKit(join(second, name))),
    );
    expect(server).toMatchObject({ endpoint: { connectionSecurity: "clear", port: 443 } });
    expect(site).toMatchObject({
      endpoint: { connectionSecurity: "tls", host: "fl.example.org", port: 443 },
      customCaPem: expect.any(String),
    });
    expect(admin).toMatchObject({ endpoint: { connectionSecurity: "tls" }, customCaPem: expect.any(String) });
  });
});

async function provisionText(projectFile: string, text: string): Promise<string> {
  await writeFile(projectFile, text);
  return (await provision({ projectFile, workspace: join(folder, "workspace"), caKey: "clear" })).prodDir;
}
