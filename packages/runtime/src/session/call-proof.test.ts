import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type CallFacts, CallProver, CallVerifier } from "./call-proof.js";

const key = randomBytes(32);
const facts: CallFacts = { sessionId: "s-1", method: "/a/B", body: Buffer.from("message") };

function codeOf(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "good";
}

describe("the proof of a call", () => {
  it("is good once, in whatever order calls come", () => {
    const prover = new CallProver({ key });
    const verifier = new CallVerifier({ key });
    const proofs = [1, 2, 3].map(() => prover.prove(facts));
    expect(proofs.toReversed().map((proof) => codeOf(() => verifier.verify(facts, proof)))).toEqual(["good", "good", "good"]);
    expect(proofs.map((proof) => codeOf(() => verifier.verify(facts, proof)))).toEqual(Array(3).fill("auth/call-replayed"));
  });

  it.each<[string, Partial<CallFacts>]>([
    ["session", { sessionId: "s-2" }],
    ["method", { method: "/a/C" }],
    ["message", { body: Buffer.from("massage") }],
    ["message that is none", { body: undefined }],
  ])("is not good for another %s, and stays good for its own", (_what, change) => {
    const proof = new CallProver({ key }).prove(facts);
    const verifier = new CallVerifier({ key });
    expect(codeOf(() => verifier.verify({ ...facts, ...change }, proof))).toBe("auth/proof-invalid");
    expect(codeOf(() => verifier.verify(facts, proof))).toBe("good");
  });

  it("is of its own key and number", () => {
    const proof = new CallProver({ key }).prove(facts);
    const verifier = new CallVerifier({ key });
    const [, mac] = proof.split(".");
    expect(codeOf(() => new CallVerifier({ key: randomBytes(32) }).verify(facts, proof))).toBe("auth/proof-invalid");
    for (const other of [`2.${mac}`, `01.${mac}`, `-1.${mac}`, `1.${mac}A`, `1.`, "", `1e3.${mac}`, proof.toUpperCase()])
      expect(codeOf(() => verifier.verify(facts, other))).toBe("auth/proof-invalid");
    expect(codeOf(() => verifier.verify(facts, undefined))).toBe("auth/proof-missing");
  });

  it("is refused when more calls overtook it than the window holds", () => {
    const prover = new CallProver({ key });
    const verifier = new CallVerifier({ key });
    const [first, second] = [prover.prove(facts), prover.prove(facts)];
    for (let i = 0; i < 4094; i++) prover.prove(facts);
    verifier.verify(facts, prover.prove(facts));
    expect(codeOf(() => verifier.verify(facts, first))).toBe("auth/call-replayed");
    expect(codeOf(() => verifier.verify(facts, second))).toBe("good");
  });
});
