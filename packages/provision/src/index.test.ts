import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as provision from "./index.js";
import * as kit from "./kit/index.js";
import * as issue from "./pki/index.js";

/** What a module and everything that it imports takes from other packages. */
function packagesOf(file: URL, seen: Set<string> = new Set()): string[] {
  if (seen.has(file.href)) return [];
  seen.add(file.href);
  const specifiers = [...readFileSync(file, "utf8").matchAll(/(?:from|import\() ?"([^"]+)"/g)].map((match) => match[1] ?? "");
  return specifiers.flatMap((specifier) =>
    specifier.startsWith(".") ? packagesOf(new URL(specifier.replace(/\.js$/, ".ts"), file), seen) : [specifier],
  );
}

describe("the package's public surface", () => {
  it("is exactly this", () => {
    expect(Object.keys(provision).sort()).toEqual([
      "approveRequest",
      "archiveFolder",
      "checkCaKey",
      "createPassphrase",
      "extractArchive",
      "findProjectFolder",
      "finishRollover",
      "importCa",
      "initAuthority",
      "inspectRequest",
      "issueKit",
      "kitCertificateStatus",
      "kitLimits",
      "lockWorkspace",
      "packageKit",
      "parseProject",
      "projectCertificateStatus",
      "provision",
      "readProjectTrust",
      "requestCa",
      "requestCertificate",
      "revokeParticipant",
      "signRenewal",
      "startRollover",
      "useCa",
      "workspaceLockName",
    ]);
    expect(Object.keys(issue).sort()).toEqual([
      "createKeyPair",
      "createRequest",
      "issueFromRequest",
      "issueIntermediate",
      "issueOwnCertificate",
      "keyPairFromPem",
      "privateKeyPem",
      "readRequest",
    ]);
    expect(Object.keys(kit).sort()).toEqual([
      "ProjectTrust",
      "TrustKeeper",
      "currentIdentityFile",
      "fingerprintOf",
      "identityFolderOf",
      "isSignedBy",
      "issuableBy",
      "issuerRole",
      "makeFolder",
      "readAuthorizationPolicy",
      "readCertificates",
      "readHosts",
      "readKit",
      "readLocalResources",
      "readLogConfig",
      "readPrivacyPolicy",
      "readSubject",
      "signBytes",
      "signTrustList",
      "verifyKit",
      "writeDurably",
    ]);
  });

  it("opens kits without loading the library that makes certificates", () => {
    const packages = (entry: string): Set<string> => new Set(packagesOf(new URL(entry, import.meta.url)));
    expect(packages("./index.ts")).toContain("node-forge");
    expect([...packages("./kit/index.ts")].filter((name) => !name.startsWith("node:"))).toEqual(["@flare-ts/contracts"]);
  });
});
