import { FlareError } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import type { ContributorFacts, StrategyFacts } from "./strategy.js";

/** The norm that a strategy asked for. @throws `internal/bug` when the engine did not give it */
export function neededNorm({ contributor, norm }: ContributorFacts): number {
  if (norm === undefined) throw new FlareError("internal/bug", `The engine did not measure the norm of ${quoted(contributor)}.`);
  return norm;
}

/** The squared distances that a strategy asked for. @throws `internal/bug` when the engine did not give them */
export function neededDistances({ contributors, squaredDistances }: StrategyFacts): Float64Array {
  if (squaredDistances?.length !== contributors.length ** 2) {
    throw new FlareError("internal/bug", `The engine did not measure the distances between ${contributors.length} contributors.`);
  }
  return squaredDistances;
}
