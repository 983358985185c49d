import type { PrivacyFilter, PrivacyScope } from "@flare-ts/contracts";
import type { PrivacyCost, PrivacySpent } from "../store/privacy-cost.js";

/** A filter whose noise is counted; a scope has one at most. */
export type NoiseFilter = Extract<PrivacyFilter, { readonly kind: "GaussianPrivacy" | "SVTPrivacy" }>;

export function noiseOf({ resultFilters }: PrivacyScope): NoiseFilter | undefined {
  return resultFilters.find((filter) => filter.kind === "GaussianPrivacy" || filter.kind === "SVTPrivacy");
}

/**
 * What one update of so many values costs, whatever the site's data are. With Gaussian noise two updates of a norm of at most C are at most 2C
 * apart, so ρ = (2C)² / 2(zC)². With the sparse vector technique it is the ε of its three parts.
 *
 * @see Bun, Steinke, "Concentrated Differential Privacy: Simplifications, Extensions, and Lower Bounds", TCC 2016, proposition 1.6
 */
export async function costOf(noise: NoiseFilter, values: number): Promise<PrivacyCost> {
  if (noise.kind === "GaussianPrivacy") return { rho: 2 / noise.noiseMultiplier ** 2, epsilon: 0 };
  const { svtBudget } = await import("@flare-ts/aggregator");
  return { rho: 0, epsilon: svtBudget(noise, values).total };
}

/**
 * The ε of (ε, δ)-differential privacy that costs come to. For each order α, what costs ρ is (α, αρ)-Rényi differentially private; what costs a
 * pure ε is both (α, ε) and (α, αε²/2), so that sums take the smaller one. Where all costs are pure, their sum holds without a δ.
 *
 * @see Bun, Steinke, "Concentrated Differential Privacy: Simplifications, Extensions, and Lower Bounds", TCC 2016, proposition 1.4
 */
export async function accountant({ delta }: NoiseFilter): Promise<(spent: PrivacySpent) => number> {
  const { defaultOrders: orders, epsilonOf } = await import("@flare-ts/aggregator");
  return ({ rho, epsilon, squares }) => {
    const rdp = orders.map((order) => order * rho + Math.min(epsilon, (order * squares) / 2));
    const converted = epsilonOf({ rdp, orders, delta });
    return rho === 0 ? Math.min(epsilon, converted) : converted;
  };
}
