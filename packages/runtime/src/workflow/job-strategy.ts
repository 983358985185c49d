import { createStrategy, isOfSums, type Strategy, type StrategyComponents } from "@flare-ts/aggregator/strategies";
import { FlareError, isNamedBy, type StrategyChoice } from "@flare-ts/contracts";

/** A mistake in what a job says of its strategy. */
export interface StrategyProblem {
  /** The setting that it is in; `undefined` when it is in the name. */
  readonly setting: string | undefined;
  readonly message: string;
}

/** Of another workflow. */
const ofScaffold = "is SCAFFOLD's, which is a workflow of its own; name Scaffold instead of FedAvg";

/** Strategies of the aggregator that these rounds would carry out in name only. */
const unfit: Readonly<Record<string, string>> = {
  scaffold: ofScaffold,
  "scaffold-control": ofScaffold,
  "scaffold-round": ofScaffold,
  "fed-buff":
    "weighs updates by their age, and in these rounds all updates are made from the newest model; name the workflow FedBuff instead of FedAvg",
};

/** Key of a task's metadata by which trainers learn the weight of FedProx's proximal term; FLARE's name. */
const fedproxKey = "fedprox_mu";

/**
 * Makes the strategy that a job has chosen.
 *
 * @throws `aggregate/strategy-invalid`
 */
export function createJobStrategy({ name, settings }: StrategyChoice, components: StrategyComponents): Strategy {
  const reason = Object.hasOwn(unfit, name) ? unfit[name] : undefined;
  if (reason !== undefined) {
    throw new FlareError("aggregate/strategy-invalid", `The strategy ${name} ${reason}.`, { facts: { strategy: name } });
  }
  return createStrategy(name, settings, components);
}

/**
 * Makes the strategy of the workflow Scaffold. Weights count with numbers of samples unless the job says otherwise, as in FLARE.
 *
 * @param settings - as the job writes them
 * @param totalClients - sites of the job, whether or not they take part in a round
 * @throws `aggregate/strategy-invalid`
 */
export function createScaffoldStrategy(
  settings: StrategyChoice["settings"],
  totalClients: number,
  components: StrategyComponents,
): Strategy {
  return createStrategy("scaffold-round", { weighting: "samples", ...settings, totalClients }, components);
}

/**
 * Makes the strategy of the workflow FedBuff.
 *
 * @param settings - as the job writes them
 * @throws `aggregate/strategy-invalid`
 */
export function createFedBuffStrategy(settings: StrategyChoice["settings"], components: StrategyComponents): Strategy {
  return createStrategy("fed-buff", settings, components);
}

/** The strategy, but for tensors of which the model keeps its own. Norms and distances of updates are over all tensors still. */
export function withoutTensors(strategy: Strategy, excluded: readonly string[] | RegExp | undefined): Strategy {
  if (excluded === undefined) return strategy;
  return { ...strategy, combines: (tensor) => !isNamedBy(excluded, tensor.name) && strategy.combines?.(tensor) !== false };
}

/** Finds what is wrong with the strategy that a job has chosen. */
export function strategyProblems(choice: StrategyChoice): readonly StrategyProblem[] {
  return problemsIn(() => createJobStrategy(choice, { randomBytes: undrawn }));
}

/** Finds what is wrong with the settings that a job gives to SCAFFOLD. */
export function scaffoldProblems(settings: StrategyChoice["settings"]): readonly StrategyProblem[] {
  return problemsIn(() => createScaffoldStrategy(settings, 1, { randomBytes: undrawn }));
}

/** Finds what is wrong with the settings that a job gives to FedBuff. */
export function fedBuffProblems(settings: StrategyChoice["settings"]): readonly StrategyProblem[] {
  return problemsIn(() => createFedBuffStrategy(settings, { randomBytes: undrawn }));
}

function problemsIn(create: () => Strategy): readonly StrategyProblem[] {
  try {
    create();
    return [];
  } catch (reason) {
    const { code, message, problems, facts } = FlareError.from(reason);
    if (code !== "aggregate/strategy-invalid") throw reason;
    if (problems.length > 0) return problems.map((problem) => ({ setting: problem.path, message: problem.message }));
    const [setting] = Array.isArray(facts["settings"]) ? facts["settings"] : [];
    return [{ setting: typeof setting === "string" ? setting : undefined, message }];
  }
}

/** Why a strategy cannot be carried out on a sum alone; `undefined` where it can. The choice has to be without a mistake. */
export function whyNotOfSums(choice: StrategyChoice): string | undefined {
  const strategy = createJobStrategy(choice, { randomBytes: undrawn });
  return isOfSums(strategy)
    ? undefined
    : `${strategy.name} looks at updates one by one, and with secure_aggregation the server knows their sum alone`;
}

/** Updates that a round needs, at least, for the strategy that a job has chosen; the choice has to be without a mistake. */
export function updatesNeededBy(choice: StrategyChoice): number {
  return createJobStrategy(choice, { randomBytes: undrawn }).minContributors ?? 1;
}

/** What trainers are told of the strategy, with each task. */
export function trainerMeta(strategy: Strategy, fedproxMu: number | undefined): Readonly<Record<string, number>> {
  const mu = fedproxMu ?? (strategy.name === "fed-prox" ? strategy.settings["mu"] : undefined);
  return typeof mu === "number" ? { [fedproxKey]: mu } : {};
}

/** A strategy that is only looked at combines nothing, so it draws nothing either. */
function undrawn(): never {
  throw new FlareError("internal/bug", "A strategy drew random bytes before there was anything to combine.");
}
