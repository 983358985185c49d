import type { TrustListDocument } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import { TestCertificate, testNow } from "../../test/test-authority.js";
import { ProjectTrust } from "./trust.js";
import { signTrustList } from "./trust-list.js";

const nowMs = testNow.getTime();
const day = 24 * 3_600_000;
const root = TestCertificate.root({ name: "p" });
const client = root.issue({ name: "site-1", org: "o", role: "client" });
const issuing = root.issue({ name: "server-1", role: "issuer:client,server,relay", isAuthority: true, pathLength: 0 });

function trustOf(...roots: readonly TestCertificate[]): ProjectTrust {
  return ProjectTrust.from({ project: "p", rootCaPem: roots.map(({ pem }) => pem).join("") });
}

function chain(...certificates: readonly TestCertificate[]): string {
  return certificates.map(({ pem }) => pem).join("");
}

function listOf(change: Partial<TrustListDocument> = {}, signers: readonly TestCertificate[] = [root]): string {
  return signTrustList({ project: "p", number: 1, issued_at_ms: nowMs, roots: [root.pem], revoked: [], ...change }, signers);
}

function revocation(change: Partial<TrustListDocument["revoked"][number]> = {}): TrustListDocument["revoked"][number] {
  return { name: "site-1", serials: [], revoked_at_ms: nowMs, reason: "keyCompromise", ...change };
}

function whyOf(trust: ProjectTrust, pem: string, atMs = nowMs): string {
  const verdict = trust.verify(pem, { nowMs: atMs });
  return verdict.ok ? "ok" : verdict.why;
}

function codeOf(action: () => unknown): string {
  try {
    return String(action());
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("a chain of certificates", () => {
  it("is accepted from the root itself, by an intermediate, and by two", () => {
    const trust = trustOf(root);
    expect(trust.verify(client.pem, { nowMs })).toMatchObject({
      ok: true,
      subject: { commonName: "site-1", org: "o", role: "client" },
      issuedBy: root.certificate,
    });
    const renewed = issuing.issue({ name: "site-1", role: "client" });
    expect(trust.verify(chain(renewed, issuing), { nowMs })).toMatchObject({ ok: true, issuedBy: issuing.certificate });
    const corporate = TestCertificate.root({ name: "Corp" });
    const upper = corporate.issue({ name: "Corp 2", isAuthority: true });
    const own = upper.issue({ name: "p", isAuthority: true });
    const admin = own.issue({ name: "ann@a.org", role: "lead" });
    expect(whyOf(trustOf(corporate), chain(admin, own, upper))).toBe("ok");
    expect(whyOf(trustOf(corporate), chain(admin, own, upper, corporate))).toBe("ok");
  });

  it("is not read where a reader of OpenSSL's would begin with another certificate", () => {
    const stranger = TestCertificate.root({ name: "stranger" });
    const hidden = ["X509 CERTIFICATE", "TRUSTED CERTIFICATE"].map((label) => stranger.pem.replaceAll("CERTIFICATE", label));
    for (const text of hidden)
      for (const both of [text + client.pem, client.pem + text]) expect(whyOf(trustOf(root), both)).toBe("unreadable");
    // Not at the beginning of a line: passed over by OpenSSL.
    expect(whyOf(trustOf(root), ` ${client.pem}${root.pem}`)).toBe("unreadable");
    expect(whyOf(trustOf(root), `${" ".repeat(254)}${client.pem}`)).toBe("unreadable");
    for (const other of ["\r", "\u2028"]) expect(whyOf(trustOf(root), `${other}${client.pem}${stranger.pem}`)).toBe("unreadable");
    expect(whyOf(trustOf(root), `subject=CN = site-1\n${client.pem.replaceAll("\n", "\r\n")}`)).toBe("ok");
  });

  it.each(["p256", "p384", "rsa2048"] as const)("may have keys of the kind %s", (key) => {
    const authority = TestCertificate.root({ name: "p", key });
    expect(whyOf(trustOf(authority), authority.issue({ name: "site-1", role: "client", key }).pem)).toBe("ok");
  });

  const stranger = TestCertificate.root({ name: "p" });
  const unlimited = root.issue({ name: "p issuing", isAuthority: true });
  const corporate = TestCertificate.root({ name: "Corp" });
  const refused: readonly [string, string, string][] = [
    ["of nothing", "hello", "unreadable"],
    ["of nothing between its lines", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "unreadable"],
    ["that is too long", chain(...Array.from({ length: 5 }, () => client)), "unreadable"],
    ["that is too large", `${client.pem}${" ".repeat(64 * 1024)}`, "unreadable"],
    ["of a root with the same name", stranger.issue({ name: "site-1", role: "client" }).pem, "untrusted"],
    ["without its intermediate", issuing.issue({ name: "site-1", role: "client" }).pem, "untrusted"],
    ["in the wrong order", chain(issuing, issuing.issue({ name: "site-1", role: "client" })), "untrusted"],
    ["with a stranger's intermediate", chain(stranger.issue({ name: "site-1", role: "client" }), issuing), "untrusted"],
    ["issued by a participant", chain(client.issue({ name: "site-2", role: "client" }), client), "untrusted"],
    [
      "with an authority below one that allows none",
      ((): string => {
        const upper = root.issue({ name: "p 2", isAuthority: true, pathLength: 0 });
        const lower = upper.issue({ name: "p 3", isAuthority: true });
        return chain(lower.issue({ name: "site-1", role: "client" }), lower, upper);
      })(),
      "untrusted",
    ],
    [
      "with an authority below one that is limited to roles, though it allows any number",
      ((): string => {
        const upper = root.issue({ name: "server-1", role: "issuer:client", isAuthority: true });
        const lower = upper.issue({ name: "free", isAuthority: true });
        return chain(lower.issue({ name: "ann@a.org", role: "lead" }), lower, upper);
      })(),
      "untrusted",
    ],
    [
      "with an extension that must be understood and is not",
      root.issue({ name: "a", role: "client", criticalExtension: "2.5.29.30" }).pem,
      "untrusted",
    ],
    ["of an authority", root.issue({ name: "site-1", role: "client", isAuthority: true }).pem, "is-authority"],
    ["of the root", root.pem, "is-authority"],
    [
      "of an admin by the server's intermediate",
      chain(issuing.issue({ name: "ann@a.org", role: "project_admin" }), issuing),
      "issuer-not-allowed",
    ],
    ["of nobody by the server's intermediate", chain(issuing.issue({ name: "site-1" }), issuing), "issuer-not-allowed"],
    [
      "by an intermediate with a participant's role",
      ((): string => {
        const odd = root.issue({ name: "odd", role: "client", isAuthority: true });
        return chain(odd.issue({ name: "site-1", role: "client" }), odd);
      })(),
      "issuer-not-allowed",
    ],
    ["with RSA of 1024 bits", root.issue({ name: "site-1", role: "client", key: "rsa1024" }).pem, "weak-key"],
    ["with the curve P-521", root.issue({ name: "site-1", role: "client", key: "p521" }).pem, "weak-key"],
    ["with Ed25519", root.issue({ name: "site-1", role: "client", key: "ed25519" }).pem, "weak-key"],
    ["that expired", root.issue({ name: "site-1", role: "client", validTo: new Date(nowMs - 1000) }).pem, "expired"],
    ["that is not good yet", root.issue({ name: "site-1", role: "client", validFrom: new Date(nowMs + 1000) }).pem, "not-yet-valid"],
    [
      "whose intermediate expired",
      ((): string => {
        const old = root.issue({ name: "p old", isAuthority: true, validTo: new Date(nowMs - 1000) });
        return chain(old.issue({ name: "site-1", role: "client" }), old);
      })(),
      "expired",
    ],
  ];
  it.each(refused)("%s is refused", (_what, pem, why) => {
    expect(whyOf(trustOf(root), pem)).toBe(why);
  });

  it("of another project under the same root is refused", () => {
    const other = corporate.issue({ name: "q", isAuthority: true });
    expect(whyOf(trustOf(corporate), chain(other.issue({ name: "site-1", role: "client" }), other))).toBe("wrong-project");
  });

  it("of an admin is accepted by an intermediate that may issue for admins, or for everybody", () => {
    const forAdmins = root.issue({ name: "p admins", role: "issuer:admin", isAuthority: true });
    for (const role of ["project_admin", "org_admin", "lead", "member"])
      expect(whyOf(trustOf(root), chain(forAdmins.issue({ name: "ann@a.org", role }), forAdmins))).toBe("ok");
    expect(whyOf(trustOf(root), chain(forAdmins.issue({ name: "site-1", role: "client" }), forAdmins))).toBe("issuer-not-allowed");
    expect(whyOf(trustOf(root), chain(unlimited.issue({ name: "ann@a.org", role: "lead" }), unlimited))).toBe("ok");
  });

  it("that expired a while ago is accepted where that is asked for, and a root never", () => {
    const ended = root.issue({ name: "site-1", role: "client", validTo: new Date(nowMs - 1000) });
    expect(trustOf(root).verify(ended.pem, { nowMs, allowExpiredMs: 1000 }).ok).toBe(true);
    expect(trustOf(root).verify(ended.pem, { nowMs, allowExpiredMs: 999 }).ok).toBe(false);
    const atMs = nowMs + 2 * day;
    expect(trustOf(root).verify(client.pem, { nowMs: atMs, allowExpiredMs: 9 * day })).toMatchObject({ why: "expired", which: "root" });
  });
});

describe("roots", () => {
  it("may stand side by side, with the same name and different keys", () => {
    const next = TestCertificate.root({ name: "p" });
    const trust = trustOf(root, next);
    for (const authority of [root, next]) expect(whyOf(trust, authority.issue({ name: "site-1", role: "client" }).pem)).toBe("ok");
    expect(whyOf(trustOf(next), client.pem)).toBe("untrusted");
    expect(trust.rootBundlePem).toBe(chain(root, next));
  });

  it.each([
    ["that is none", "hello"],
    ["that is a participant's certificate", client.pem],
    ["that is an intermediate", issuing.pem],
    ["with a weak key", TestCertificate.root({ name: "p", key: "rsa1024" }).pem],
    ["beyond the eighth", chain(...Array.from({ length: 9 }, () => root))],
  ])("%s are refused", (_what, rootCaPem) => {
    expect(codeOf(() => ProjectTrust.from({ project: "p", rootCaPem }))).toBe("trust/root-invalid");
  });
});

describe("a trust list", () => {
  it("revokes a name up to its moment, and lets its owner come back with a newer certificate", () => {
    const trust = trustOf(root);
    const list = listOf({ revoked: [revocation()] });
    expect(trust.accept(list)).toBe("accepted");
    expect(trust.verify(client.pem, { nowMs })).toMatchObject({ why: "revoked", which: "leaf", facts: { reason: "keyCompromise" } });
    const atTheMoment = root.issue({ name: "site-1", role: "client", validFrom: testNow });
    const after = root.issue({ name: "site-1", role: "client", validFrom: new Date(nowMs + 1000) });
    expect(whyOf(trust, atTheMoment.pem)).toBe("revoked");
    expect(whyOf(trust, after.pem, nowMs + 2000)).toBe("ok");
    expect(whyOf(trust, root.issue({ name: "site-2", role: "client" }).pem)).toBe("ok");
    expect(trust).toMatchObject({ number: 1, trustListText: list, revoked: [{ name: "site-1" }] });
  });

  it("revokes a serial number, whatever its certificate's name and date, and however it is written", () => {
    const trust = trustOf(root);
    const listed = root.issue({ name: "site-2", role: "client", serial: "0a4b" });
    const other = root.issue({ name: "site-2", role: "client", serial: "0a4c" });
    trust.accept(listOf({ revoked: [revocation({ name: "somebody", serials: ["000A4B"], revoked_at_ms: 0 })] }));
    expect(whyOf(trust, listed.pem)).toBe("revoked");
    expect(whyOf(trust, other.pem)).toBe("ok");
  });

  it("goes by the latest of several revocations of a name", () => {
    const trust = trustOf(root);
    trust.accept(listOf({ revoked: [revocation(), revocation({ revoked_at_ms: nowMs - 2 * day })] }));
    expect(whyOf(trust, client.pem)).toBe("revoked");
  });

  it("revokes an intermediate with everything that it issued", () => {
    const trust = trustOf(root);
    const renewed = issuing.issue({ name: "site-1", role: "client" });
    trust.accept(listOf({ revoked: [revocation({ name: "broken server", serials: [issuing.certificate.serialNumber] })] }));
    expect(trust.verify(chain(renewed, issuing), { nowMs })).toMatchObject({ why: "revoked", which: "intermediate" });
  });

  it("is refused when it is forged, unsigned, older, another project's or not one at all, and then changes nothing", () => {
    const trust = trustOf(root);
    const inForce = listOf({ number: 5, revoked: [revocation()] });
    trust.accept(inForce);
    const stranger = TestCertificate.root({ name: "p" });
    const higher = listOf({ number: 6 });
    const edited = JSON.parse(higher) as { document: string };
    const document = Buffer.from(edited.document, "base64").toString().replace('"number":6', '"number":7');
    const attempts: readonly [string, string][] = [
      [listOf({ number: 6 }, [stranger]), "trust/signature-invalid"],
      [listOf({ number: 6 }, []), "trust/signature-invalid"],
      [listOf({ number: 6 }, [client]), "trust/signature-invalid"],
      [JSON.stringify({ ...edited, document: Buffer.from(document).toString("base64") }), "trust/signature-invalid"],
      [higher.replaceAll(root.certificate.fingerprint256.replaceAll(":", "").toLowerCase(), "0".repeat(64)), "trust/signature-invalid"],
      [listOf({ number: 4 }), "trust/outdated"],
      [listOf({ number: 5 }), "trust/outdated"],
      [listOf({ number: 6, project: "q" }), "trust/wrong-project"],
      [listOf({ number: 6, roots: [client.pem] }), "trust/list-invalid"],
      [listOf({ number: 6, roots: [`${root.pem}${root.pem}`] }), "trust/list-invalid"],
      [listOf({ number: 6, roots: [] }), "trust/list-invalid"],
      [listOf({ number: 6, revoked: [revocation({ serials: ["x"] })] }), "trust/list-invalid"],
      [listOf({ number: 0 }), "trust/list-invalid"],
      [listOf({ number: 6 }).replace('"format_version":1', '"format_version":2'), "trust/list-invalid"],
      ["", "trust/list-invalid"],
      ["null", "trust/list-invalid"],
      [`${higher}${" ".repeat(2 * 1024 * 1024)}`, "trust/list-invalid"],
    ];
    for (const [text, code] of attempts) {
      expect(codeOf(() => trust.accept(text))).toBe(code);
      expect(trust).toMatchObject({ number: 5, trustListText: inForce });
    }
    expect(whyOf(trust, client.pem)).toBe("revoked");
    expect(trust.accept(inForce)).toBe("known");
    expect(trust.accept(higher)).toBe("accepted");
    expect(whyOf(trust, client.pem)).toBe("ok");
  });

  it("rolls the root over in steps, and takes who missed one along when an earlier root signed too", () => {
    const next = TestCertificate.root({ name: "p" });
    const late = trustOf(root);
    const trust = trustOf(root);
    trust.accept(listOf({ number: 1, roots: [root.pem, next.pem] }));
    const renewed = next.issue({ name: "site-1", role: "client" });
    expect([whyOf(trust, client.pem), whyOf(trust, renewed.pem)]).toEqual(["ok", "ok"]);
    const both = listOf({ number: 2, roots: [next.pem] }, [root, next]);
    for (const one of [trust, late]) {
      expect(one.accept(both)).toBe("accepted");
      expect(one.accept(both)).toBe("known");
      expect([whyOf(one, client.pem), whyOf(one, renewed.pem)]).toEqual(["untrusted", "ok"]);
      expect(codeOf(() => one.accept(listOf({ number: 3 }, [root])))).toBe("trust/signature-invalid");
      expect(one.accept(listOf({ number: 3, roots: [next.pem] }, [next]))).toBe("accepted");
    }
    expect(codeOf(() => trustOf(root).accept(listOf({ number: 2, roots: [next.pem] }, [next])))).toBe("trust/signature-invalid");
  });

  it("may be signed by the project's own authority below a root, but not by one that may issue for some roles only", () => {
    const corporate = TestCertificate.root({ name: "Corp" });
    const own = corporate.issue({ name: "p", isAuthority: true });
    const other = corporate.issue({ name: "q", isAuthority: true });
    const limited = own.issue({ name: "server-1", role: "issuer:client,server", isAuthority: true });
    const participant = own.issue({ name: "site-1", role: "client" });
    const signedBy = (certificate: TestCertificate, ...between: readonly TestCertificate[]): string => {
      const { privateKey } = certificate;
      const signer = { certificate: certificate.certificate, privateKey, intermediatesPem: chain(...between) };
      return signTrustList({ project: "p", number: 1, issued_at_ms: nowMs, roots: [corporate.pem], revoked: [] }, [signer]);
    };
    for (const text of [signedBy(other), signedBy(limited, own), signedBy(participant, own), signedBy(own, other)])
      expect(codeOf(() => trustOf(corporate).accept(text))).toBe("trust/signature-invalid");
    expect(trustOf(corporate).accept(signedBy(own))).toBe("accepted");
  });

  it("is in force from the start when it comes with the roots", () => {
    const trustListText = listOf({ number: 9, revoked: [revocation()] });
    expect(ProjectTrust.from({ project: "p", rootCaPem: root.pem, trustListText }).number).toBe(9);
    expect(codeOf(() => ProjectTrust.from({ project: "q", rootCaPem: root.pem, trustListText }))).toBe("trust/wrong-project");
  });
});
