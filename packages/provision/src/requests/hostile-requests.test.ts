import { createPrivateKey } from "node:crypto";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Exchange } from "../../test/exchange.js";
import { mutateBytes, mutateText, mutationCount, seeded } from "../../test/mutations.js";
import { hashOf, type Members, repack } from "../../test/repack.js";
import { signBytes } from "../kit/signature.js";
import { fromPem, toPem } from "../pki/pem.js";

const timeout = 1_800_000;
const rounds = mutationCount(120);
let exchange: Exchange;
/** Lines out of the middle of each private key: whatever holds one of them holds a key. */
let secrets: readonly string[];
let request: Buffer;
let signed: Buffer;
let authorityKey: string;
beforeAll(async () => {
  exchange = await Exchange.create();
  const { privateKey } = await exchange.request("site");
  await exchange.approve("site");
  request = await readFile(exchange.requestArchive("site"));
  signed = await readFile(exchange.signedArchive("site"));
  authorityKey = await readFile(join(exchange.authorityDir, "rootCA.key"), "utf8");
  secrets = [await readFile(privateKey, "utf8"), authorityKey].map((pem) => pem.split("\n")[1] ?? "");
});
afterAll(() => exchange.remove());

/** Everything below the exchange's folder, so that nothing that is written goes unseen. */
async function listing(): Promise<string[]> {
  const entries = await readdir(exchange.dir, { recursive: true, withFileTypes: true });
  return entries.map((entry) => relative(exchange.dir, join(entry.parentPath, entry.name))).sort();
}

/** Runs something on hostile input: its error's code, or `undefined` when it was taken. Nothing else may be thrown. */
async function outcomeOf(run: () => Promise<unknown>): Promise<{ code: string | undefined; text: string }> {
  try {
    return { code: undefined, text: JSON.stringify(await run()) };
  } catch (error) {
    if (!(error instanceof FlareError) || error.code === "internal/bug") throw error;
    return { code: error.code, text: `${JSON.stringify(error)}${error.stack ?? ""}${String(error.cause)}` };
  }
}

/** Paths that a run added, and whether any text that it gave or wrote holds a part of a key. */
async function effects(run: () => Promise<unknown>): Promise<{ code: string | undefined; added: string[]; leaks: string[] }> {
  const before = new Set(await listing());
  const { code, text } = await outcomeOf(run);
  const added = (await listing()).filter((path) => !before.has(path));
  const texts: string[] = [text];
  for (const path of added.filter((name) => !name.endsWith("client.key"))) {
    texts.push(await readFile(join(exchange.dir, path), "latin1").catch(() => ""));
  }
  return { code, added, leaks: secrets.filter((secret) => texts.some((one) => one.includes(secret))) };
}

describe("whatever arrives", () => {
  const archive = (): string => join(exchange.dir, "hostile.zip");
  const out = (): string => join(exchange.dir, "out.signed.zip");

  async function approveHostile(): Promise<string> {
    const { code, added, leaks } = await effects(() => exchange.approve("site", { archive: archive(), out: out(), isForced: true }));
    expect(leaks).toEqual([]);
    const allowed = /^(?:out\.signed\.zip|home\/cert_approves\/[0-9a-f-]+\.json|ca\/cancer\/state\/approved(?:\/[\w.@%+-]+\.json)?)$/;
    expect(added.filter((path) => code !== undefined || !allowed.test(path))).toEqual([]);
    await rm(out(), { force: true });
    return code ?? "taken";
  }

  async function packageHostile(): Promise<string> {
    const { code, added, leaks } = await effects(() => exchange.package("site", { archive: archive(), isForced: true }));
    expect(leaks).toEqual([]);
    // A workspace that is made before the kit is refused is empty; a kit stands under the project and the name that were approved.
    expect(added.filter((path) => !/^workspace(?:\/cancer(?:\/prod_00(?:\/hospital-a(?:\/.*)?)?)?)?$/.test(path))).toEqual([]);
    await rm(join(exchange.dir, "workspace"), { recursive: true, force: true });
    return code ?? "taken";
  }

  it("as a request is refused by name or approved, byte by byte", { timeout }, async () => {
    const random = seeded(1);
    const seen = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      await writeFile(archive(), mutateBytes(request, random));
      seen.add(await approveHostile());
    }
    expect([...seen].filter((code) => !/^(?:taken|archive\/|request\/|certificate\/)/.test(code))).toEqual([]);
  });

  it("in a request is refused by name or approved, also with hashes that fit", { timeout }, async () => {
    const random = seeded(2);
    const seen = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      await writeFile(archive(), request);
      await repack(archive(), (members) => {
        const name = pick(Object.keys(members), random);
        members[name] = mutateText(members[name] ?? "", random);
        if (name !== "request.json" && random(2) === 0) fitRequest(members);
        return members;
      }).catch(() => undefined);
      seen.add(await approveHostile());
    }
    expect([...seen].filter((code) => !/^(?:taken|archive\/|request\/|certificate\/)/.test(code))).toEqual([]);
    expect(seen).toContain("request/mismatch");
  });

  it("as an approval makes a whole kit or none", { timeout }, async () => {
    const random = seeded(3);
    const seen = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      await writeFile(archive(), mutateBytes(signed, random));
      seen.add(await packageHostile());
    }
    expect([...seen].filter((code) => !/^(?:taken|archive\/|request\/)/.test(code))).toEqual([]);
  });

  it("in an approval makes a whole kit or none, also when its root has signed it", { timeout }, async () => {
    const random = seeded(4);
    const key = createPrivateKey(authorityKey);
    const seen = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      await writeFile(archive(), signed);
      await repack(archive(), (members) => {
        const name = pick(Object.keys(members), random);
        members[name] = /\.crt$|\.pem$/.test(name)
          ? mutateCertificate(members[name] ?? "", random)
          : mutateText(members[name] ?? "", random);
        if (random(4) > 0) signAgain(members, key);
        return members;
      }).catch(() => undefined);
      seen.add(await packageHostile());
    }
    expect([...seen].filter((code) => !/^(?:taken|archive\/|request\/|project\/|kit\/|trust\/)/.test(code))).toEqual([]);
    expect(seen).toContain("request/certificate-invalid");
  });

  it("in the files that people write is refused with its line, or taken", { timeout }, async () => {
    const random = seeded(5);
    const participant = 'name: cancer\nparticipants:\n  - name: "lead@example.org"\n    type: admin\n    org: clinic\n    role: lead\n';
    const profile = "name: cancer\nscheme: grpc\nserver:\n  host: fl.example.org\n  fed_learn_port: 8002\n";
    const participantFile = join(exchange.dir, "hostile.yaml");
    const dir = join(exchange.dir, "hostile request");
    const profileFile = join(exchange.dir, "hostile profile.yaml");
    await cp(exchange.requestArchive("site"), archive());
    for (let round = 0; round < rounds; round++) {
      await writeFile(participantFile, mutateText(participant, random));
      const asked = await outcomeOf(() => exchange.request("site", {}, { participantFile, dir }));
      expect(asked.code ?? "request/invalid").toMatch(/^(?:request\/invalid|archive\/unsafe-path)$/);
      await rm(dir, { recursive: true, force: true });
      await writeFile(profileFile, mutateText(profile, random));
      const approved = await outcomeOf(() => exchange.approve("site", { archive: archive(), out: out(), profileFile, isForced: true }));
      expect(approved.code ?? "request/invalid").toMatch(/^request\/(?:invalid|wrong-project|mismatch)$/);
    }
  });
});

function pick(names: readonly string[], random: (below: number) => number): string {
  return names[random(names.length)] ?? "";
}

function fitRequest(members: Members): void {
  const change = { site_yaml_sha256: hashOf(members["site.yaml"]), csr_sha256: hashOf(members["hospital-a.csr"]) };
  members["request.json"] = JSON.stringify({ ...(JSON.parse(members["request.json"] ?? "{}") as object), ...change });
}

/** As if the root had signed what is there now. */
function signAgain(members: Members, key: ReturnType<typeof createPrivateKey>): void {
  try {
    const document = JSON.parse(members["signed.json"] ?? "{}") as { hashes?: object };
    const hashes = {
      ...document.hashes,
      site_yaml_sha256: hashOf(members["site.yaml"]),
      certificate_sha256: hashOf(members["hospital-a.crt"]),
      rootca_sha256: hashOf(members["rootCA.pem"]),
    };
    members["signed.json"] = JSON.stringify({ ...document, hashes });
  } catch {
    // It is no JSON any more; signed all the same.
  }
  members["signed.json.sig"] = signBytes(Buffer.from(members["signed.json"] ?? ""), key).toString("base64");
}

/** Bytes inside the certificate, so that the PEM around it can still be read. */
function mutateCertificate(pem: string, random: (below: number) => number): string {
  const [der = Buffer.alloc(0)] = fromPem("CERTIFICATE", pem);
  return toPem("CERTIFICATE", mutateBytes(der, random));
}
