/** How much of an update the sparse vector technique lets out, and at what price. FLARE's names and defaults stand in a policy. */
export interface SvtSettings {
  /** Share of the values that may leave; above 0, at most 1. */
  readonly fraction: number;
  /** The ε of choosing them; above 0. */
  readonly epsilon: number;
  /** The ε of each value that leaves, where there is no `epsilonRelease`; above 0. */
  readonly noiseVar: number;
  /** The parts of `epsilon` that the threshold and the comparisons with it get. @default the best split, 1 : (2c)^(2/3) for c values */
  readonly epsilonThreshold?: number | undefined;
  readonly epsilonQuery?: number | undefined;
  /** The ε of all values that leave, together. @default c times `noiseVar` */
  readonly epsilonRelease?: number | undefined;
}

/** What one update costs: the ε of pure differential privacy, for whatever the site's data are. */
export interface SvtBudget {
  /** Values that leave at most. */
  readonly count: number;
  readonly threshold: number;
  readonly query: number;
  readonly release: number;
  /** The three together. */
  readonly total: number;
}

/**
 * What an update of so many values costs. It depends on settings and on the model alone, and so says nothing of the data.
 *
 * @see Lyu, Su, Li, "Understanding the Sparse Vector Technique for Differential Privacy", VLDB 2017, section 4.2
 */
export function svtBudget(settings: SvtSettings, values: number): SvtBudget {
  const count = Math.min(values, Math.ceil(values * settings.fraction));
  if (count === 0) return { count, threshold: 0, query: 0, release: 0, total: 0 };
  const { epsilon, noiseVar, epsilonRelease: release = count * noiseVar } = settings;
  const threshold =
    settings.epsilonThreshold ??
    (settings.epsilonQuery === undefined ? epsilon / (1 + (2 * count) ** (2 / 3)) : epsilon - settings.epsilonQuery);
  const query = settings.epsilonQuery ?? epsilon - threshold;
  return { count, threshold, query, release, total: threshold + query + release };
}
