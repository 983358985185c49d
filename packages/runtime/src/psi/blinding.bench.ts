import process from "node:process";
import { expect, it } from "vitest";
import { type BlindingWork, blind } from "./blind.js";
import { drawPsiSecret } from "./psi-secret.js";

const rounds = 5;
const count = 4096;

it("what one thread blinds in a second of a processor", { timeout: 600_000 }, () => {
  const { key } = drawPsiSecret();
  const items = Array.from({ length: count }, (_, i) => `patient ${i}`);
  const points = blind(drawPsiSecret().key, { items });
  const works: Readonly<Record<string, BlindingWork>> = { identifiers: { items }, points: { points } };
  for (const [what, work] of Object.entries(works)) {
    const perSecond = Array.from({ length: rounds }, () => {
      const before = process.cpuUsage();
      expect(blind(key, work).byteLength).toBe(points.byteLength);
      const { user, system } = process.cpuUsage(before);
      return count / ((user + system) / 1e6);
    });
    process.stdout.write(`${what} ${Math.round(perSecond.toSorted((a, b) => a - b)[rounds >> 1] ?? 0)}\n`);
  }
});
