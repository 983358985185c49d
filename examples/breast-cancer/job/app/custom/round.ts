import { isMeasured, type Model, measure, type Score, score, train } from "./model.ts";
import type { Row } from "./table.ts";

/** What a hospital has: most rows to learn from, and some to see how good the received model is. */
export interface SiteRows {
  readonly training: readonly Row[];
  readonly validation: readonly Row[];
}

/** How a hospital trains in one round. */
const settings = Object.freeze({ epochs: 4, batchSize: 16, learningRate: 0.1, decay: 0.001, seed: 7 });

/** Every fifth row is for validation. */
export function siteRows(rows: readonly Row[]): SiteRows {
  return { training: rows.filter((_, i) => i % 5 !== 0), validation: rows.filter((_, i) => i % 5 === 0) };
}

export interface RoundResult {
  readonly model: Model;
  /** How well the model did that was received. */
  readonly score: Score;
}

/** One round at one hospital: the first measures the data, the others train. Nothing is kept between rounds. */
export function runRound(received: Model, rows: SiteRows, round: number, site: string): RoundResult {
  const result = { score: score(received, rows.validation) };
  if (!isMeasured(received)) return { ...result, model: measure(received, rows.training) };
  return { ...result, model: train(received, rows.training, { ...settings, seed: seedOf(`${settings.seed}/${round}/${site}`) }) };
}

/** 32-bit FNV-1a. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
