/** What the noise on one update costs. Costs of Gaussian noise add up as ρ, those of Laplace noise as ε; one of the two is 0. */
export interface PrivacyCost {
  /** Of zero-concentrated differential privacy. */
  readonly rho: number;
  /** Of pure differential privacy. */
  readonly epsilon: number;
}

/** What updates cost together. */
export interface PrivacySpent extends PrivacyCost {
  /** The sum of the squares of every ε: half of it is a ρ as well, and grows more slowly than the sum where there are many small ones. */
  readonly squares: number;
}

/** What is spent with one cost more. */
export function withCost({ rho, epsilon, squares }: PrivacySpent, cost: PrivacyCost): PrivacySpent {
  return { rho: rho + cost.rho, epsilon: epsilon + cost.epsilon, squares: squares + cost.epsilon ** 2 };
}
