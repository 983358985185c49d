import { numberRule, readSettings, shownSettings } from "./setting-rules.js";
import type { Strategy } from "./strategy.js";

export interface FedProxSettings {
  /** Weight μ of the proximal term, 0 to 1000; the paper tries 0.001, 0.01, 0.1 and 1. At 0 it is FedAvg. */
  readonly mu: number;
}

export const fedProxRules = { mu: numberRule({ atLeast: 0, atMost: 1000 }) };

/**
 * FedProx: sites keep near the global model x by training on F_k(w) + μ/2 ‖w - x‖², and the server averages as in FedAvg:
 *
 *     x ← Σ n_k w_k / Σ n_k
 *
 * The server's side does nothing with μ; it stands in the settings for who tells sites of it. Takes FULL and DIFF; FULL needs
 * no base. Costs one pass over the updates.
 *
 * The paper draws sites in proportion to their numbers of samples and averages them uniformly; here a site that takes part
 * counts with its number of samples.
 *
 * @see Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith, "Federated Optimization in Heterogeneous Networks", MLSys 2020,
 *   Algorithm 2
 * @throws `aggregate/strategy-invalid`
 */
export function fedProx(settings: FedProxSettings): Strategy {
  const read = readSettings("fed-prox", fedProxRules, settings);
  return Object.freeze({ name: "fed-prox", settings: shownSettings(read), needs: {}, combine: { kind: "mean" } } as const);
}
