import type { Strategy } from "./strategy.js";

/**
 * Federated averaging: the mean of the contributors' models, weighted by their numbers of samples n_k:
 *
 *     x ← Σ n_k x_k / Σ n_k
 *
 * Takes FULL and DIFF; FULL needs no base. Costs one pass over the updates.
 *
 * @see McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-Efficient Learning of Deep Networks from Decentralized
 *   Data", AISTATS 2017, Algorithm 1
 */
export function fedAvg(): Strategy {
  return Object.freeze({ name: "fed-avg", settings: Object.freeze({}), needs: {}, combine: { kind: "mean" } } as const);
}
