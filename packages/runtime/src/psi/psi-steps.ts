/** What a site does in one round of a private set intersection. */
export type PsiStep =
  /** Blinds its own identifiers, and shuffles them. */
  | { readonly kind: "own" }
  /** Blinds what others have blinded, and shuffles it. */
  | { readonly kind: "blind" }
  /** Says of points as they came in a round which are in the intersection, told it of them as they left. */
  | { readonly kind: "trace"; readonly shuffledIn: number }
  /** The same of its own identifiers, which tells it the intersection. */
  | { readonly kind: "reveal" };

/** How many rounds there are: each list goes around all sites, and what is in the intersection goes back the same way. */
export function psiRounds(sites: number): number {
  return 2 * sites;
}

/** The step of a round, of all of them. */
export function psiStepOf(round: number, totalRounds: number): PsiStep {
  if (round === 0) return { kind: "own" };
  if (round < totalRounds / 2) return { kind: "blind" };
  return round < totalRounds - 1 ? { kind: "trace", shuffledIn: totalRounds - 1 - round } : { kind: "reveal" };
}
