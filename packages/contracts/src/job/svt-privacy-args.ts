import { z } from "zod";

const positive = z.number().gt(0).max(1e9);
const epsilon = positive.min(1e-9);
/** What a whole model and its difference are called in FLARE. Here both are filtered, as a difference. */
const filteredKinds: readonly unknown[] = ["WEIGHT_DIFF", "WEIGHTS"];

/** Arguments of FLARE's `SVTPrivacy`, with its defaults. */
export const svtPrivacyArgs = {
  fraction: z.number().gt(0).max(1).default(0.1),
  epsilon: epsilon.default(0.1),
  noise_var: z.number().min(0).max(1e9).default(0.1),
  gamma: positive.min(1e-30).default(1e-5),
  tau: z.number().min(-1e9).max(1e9).default(1e-6),
  data_kinds: z
    .unknown()
    .optional()
    .refine(areFiltered, "must be a list with WEIGHT_DIFF, or WEIGHT_DIFF and WEIGHTS: updates are filtered as differences; leave it out"),
  replace: z.boolean().default(true),
  epsilon_threshold: epsilon.optional(),
  epsilon_query: epsilon.optional(),
  epsilon_release: epsilon.optional(),
};

type SvtPrivacyArgs = z.output<z.ZodObject<typeof svtPrivacyArgs>>;

/** An `SVTPrivacy` as it is compiled. */
export interface SvtPrivacySettings {
  readonly kind: "SVTPrivacy";
  /** Share of the values that leave, which are some of the largest. */
  readonly fraction: number;
  /** The ε of choosing them. */
  readonly epsilon: number;
  /** The ε of each value that leaves, unless `epsilonRelease` says what all of them come to. */
  readonly noiseVar: number;
  readonly gamma: number;
  readonly tau: number;
  readonly replace: boolean;
  readonly epsilonThreshold: number | undefined;
  readonly epsilonQuery: number | undefined;
  readonly epsilonRelease: number | undefined;
}

export function svtPrivacyOf(args: SvtPrivacyArgs): SvtPrivacySettings {
  const { fraction, epsilon: choosing, noise_var: noiseVar, gamma, tau, replace } = args;
  const { epsilon_threshold: epsilonThreshold, epsilon_query: epsilonQuery, epsilon_release: epsilonRelease } = args;
  return { kind: "SVTPrivacy", fraction, epsilon: choosing, noiseVar, gamma, tau, replace, epsilonThreshold, epsilonQuery, epsilonRelease };
}

/** Mistakes that lie between arguments: parts of ε that are more than the whole, or not all of it, and values without noise. */
export function checkSvtPrivacy(
  args: SvtPrivacyArgs,
  context: { addIssue(issue: { readonly code: "custom"; readonly path: PropertyKey[]; readonly message: string }): void },
): void {
  const { epsilon: whole, epsilon_threshold: threshold, epsilon_query: query } = args;
  const complain = (key: string, message: string): void => context.addIssue({ code: "custom", path: [key], message });
  if (threshold !== undefined && query !== undefined) {
    // As far apart as NumPy's isclose lets them be.
    if (Math.abs(threshold + query - whole) > 1e-8 + 1e-5 * whole)
      complain("epsilon_query", `epsilon_threshold and epsilon_query must come to epsilon, which is ${whole}; leave one of them out`);
  } else {
    for (const [key, part] of Object.entries({ epsilon_threshold: threshold, epsilon_query: query }))
      if (part !== undefined && part >= whole) complain(key, `must be less than epsilon, which is ${whole}`);
  }
  if (args.noise_var === 0 && args.epsilon_release === undefined)
    complain("noise_var", "must be more than 0 where there is no epsilon_release");
}

function areFiltered(kinds: unknown): boolean {
  if (kinds === undefined) return true;
  return (
    Array.isArray(kinds) && (kinds.length === 0 || kinds.includes("WEIGHT_DIFF")) && kinds.every((kind) => filteredKinds.includes(kind))
  );
}
