import { FlareError, isErrorCode } from "@flare-ts/contracts";
import { assert, constantFrom, integer, property, tuple, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { TestCertificate, testNow } from "../../test/test-authority.js";
import { readCertificateDetails } from "./certificate-details.js";
import { ProjectTrust } from "./trust.js";
import { signTrustList } from "./trust-list.js";

// FLARE_MUTATIONS=10000 for a longer run.
const numRuns = Number(process.env["FLARE_MUTATIONS"] ?? 1_000);
const nowMs = testNow.getTime();
const root = TestCertificate.root({ name: "p" });
const issuing = root.issue({ name: "server-1", role: "issuer:client,server", isAuthority: true, pathLength: 0 });
const client = issuing.issue({ name: "site-1", role: "client" });
const trust = ProjectTrust.from({ project: "p", rootCaPem: root.pem });
const revocation = { name: "site-9", serials: ["0a"], revoked_at_ms: nowMs, reason: "keyCompromise" as const };
const good = signTrustList({ project: "p", number: 2, issued_at_ms: nowMs, roots: [root.pem], revoked: [revocation] }, [root]);

/** Where to change, how, and by what. */
const mutation = tuple(
  integer({ min: 0, max: 100_000 }),
  constantFrom("flip", "drop", "insert", "double", "cut"),
  uint8Array({ minLength: 1, maxLength: 8 }),
);

function mutate(original: Buffer, [place, how, bytes]: readonly [number, string, Uint8Array]): Buffer {
  const at = place % original.length;
  const [head, tail] = [original.subarray(0, at), original.subarray(at)];
  switch (how) {
    case "flip":
      return Buffer.concat([head, Buffer.from([(original[at] ?? 0) ^ (bytes[0] || 1)]), original.subarray(at + 1)]);
    case "drop":
      return Buffer.concat([head, tail.subarray(bytes.length)]);
    case "insert":
      return Buffer.concat([head, bytes, tail]);
    case "double":
      return Buffer.concat([head, tail, tail]);
    default:
      return Buffer.from(head);
  }
}

function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
}

/** What a call gave, or the code that it was refused with; anything else that is thrown fails the test. */
function outcomeOf(action: () => string): string {
  try {
    return action();
  } catch (error) {
    if (error instanceof FlareError && isErrorCode(error.code)) return error.code;
    throw error;
  }
}

function documentOf(text: string): string {
  return Buffer.from((JSON.parse(text) as { document: string }).document, "base64").toString();
}

describe("whatever is done to", () => {
  it.each([
    ["a certificate", client],
    ["its intermediate", issuing],
  ])("%s, it is refused for one reason, and nothing throws", (_what, target) => {
    const der = Buffer.from(target.certificate.raw);
    assert(
      property(mutation, (change) => {
        const mutant = mutate(der, change);
        const parts = [client, issuing].map((one) => (one === target ? pemOf(mutant) : one.pem));
        const verdict = trust.verify(parts.join(""), { nowMs });
        // Bytes after the end of a certificate are no part of it.
        const isSame = verdict.ok && mutant.subarray(0, der.length).equals(der);
        expect(isSame || (!verdict.ok && verdict.why)).toBeOneOf([true, "unreadable", "untrusted"]);
        readCertificateDetails(mutant);
      }),
      { numRuns },
    );
  });

  it("the text of a chain, it is refused, or is the same chain", () => {
    const text = Buffer.from(`${client.pem}${issuing.pem}`, "latin1");
    assert(
      property(mutation, (change) => {
        const verdict = trust.verify(mutate(text, change).toString("latin1"), { nowMs });
        const isSame = verdict.ok && verdict.certificate.raw.equals(client.certificate.raw);
        // Without the first of its blocks, a chain begins with the intermediate.
        expect(isSame || (!verdict.ok && verdict.why)).toBeOneOf([true, "unreadable", "untrusted", "is-authority"]);
      }),
      { numRuns },
    );
  });

  it("a trust list, it is refused with one code and changes nothing, or says the same", () => {
    const text = Buffer.from(good);
    const asked = documentOf(good);
    assert(
      property(mutation, (change) => {
        const own = ProjectTrust.from({ project: "p", rootCaPem: root.pem });
        const mutant = mutate(text, change).toString();
        const outcome = outcomeOf(() => own.accept(mutant));
        expect(outcome).toBeOneOf(["accepted", "trust/list-invalid", "trust/signature-invalid"]);
        expect(outcome === "accepted" ? documentOf(mutant) : own.number).toBe(outcome === "accepted" ? asked : 0);
      }),
      { numRuns },
    );
  });

  it("what a root signs, a list that is not one is refused with one code", () => {
    const document = JSON.parse(documentOf(good)) as Record<string, unknown>;
    const values = [null, -1, 1.5, "", "x", [], {}, [null], ["x"], 2 ** 53, true, { name: "x" }, [revocation, 5], [client.pem]];
    assert(
      property(constantFrom(...Object.keys(document), "further"), constantFrom(...values), (key, value) => {
        const own = ProjectTrust.from({ project: "p", rootCaPem: root.pem });
        const text = signTrustList({ ...document, [key]: value } as never, [root]);
        const outcome = outcomeOf(() => own.accept(text));
        expect(outcome).toBeOneOf(["accepted", "trust/list-invalid", "trust/wrong-project"]);
        expect(own.number).toBe(outcome === "accepted" ? (JSON.parse(documentOf(text)) as { number: number }).number : 0);
      }),
      { numRuns: 200 },
    );
  });
});
