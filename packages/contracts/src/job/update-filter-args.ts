import { z } from "zod";
import { namesOrPatternSchema } from "./names-or-pattern.js";
import { svtPrivacyArgs } from "./svt-privacy-args.js";

const positive = z.number().gt(0).max(1e9);

/** Arguments of the filters that a site's policy and a job's configuration both know, by class. */
export const updateFilterArgs = {
  ExcludeVars: { exclude_vars: namesOrPatternSchema },
  PercentilePrivacy: { percentile: z.number().min(0).max(100).default(10), gamma: positive.default(0.01) },
  ClipNorm: { max_norm: positive.min(1e-9) },
  GaussianPrivacy: { clip_norm: positive.min(1e-9), noise_multiplier: z.number().min(0.001).max(1000) },
  SVTPrivacy: svtPrivacyArgs,
};
