import type { Share, Strategy, StrategyFacts } from "./strategy.js";

/** Values of each tensor by name. */
export type ReferenceModel = Readonly<Record<string, readonly number[]>>;

export interface ReferenceUpdate {
  readonly contributor: string;
  readonly weight: number;
  readonly staleness?: number;
  readonly tensors: ReferenceModel;
}

export interface ReferenceState {
  readonly steps: number;
  /** By tensor, then by name of the state. */
  readonly tensors: Readonly<Record<string, ReferenceModel>>;
}

export interface ReferenceRound {
  readonly base: ReferenceModel;
  readonly updates: readonly ReferenceUpdate[];
  readonly paramsType: "FULL" | "DIFF";
  readonly state?: ReferenceState;
  /** Tensors of whole numbers; all others are float32. */
  readonly integers?: readonly string[];
}

export interface ReferenceResult {
  readonly model: ReferenceModel;
  readonly state: ReferenceState;
  readonly shares: readonly Share[];
}

/** What a strategy makes of one round, read off the interface line by line, in float64 and without rounding of the model. */
export function carryOut(strategy: Strategy, round: ReferenceRound): ReferenceResult {
  const { parts, ...own } = strategy;
  if (parts !== undefined) return carryOutParts({ ...own, parts }, round);
  const { base, paramsType, integers = [], state = { steps: 0, tensors: {} } } = round;
  const updates = [...round.updates].sort((a, b) => (a.contributor < b.contributor ? -1 : 1));
  const facts = factsOf(strategy, updates, base, paramsType, integers);
  const shares = strategy.weigh?.(facts) ?? updates.map(({ weight }) => ({ factor: weight, weight }));
  const model: Record<string, readonly number[]> = {};
  const states: Record<string, ReferenceModel> = {};
  for (const [name, before] of Object.entries(base)) {
    const isInteger = integers.includes(name);
    const spec = { name, dtype: isInteger ? "I64" : "F32", shape: [before.length] } as const;
    const senders = updates.flatMap(({ tensors }, i) => {
      const sent = tensors[name];
      return sent === undefined ? [] : [{ values: sent, share: at(shares, i) }];
    });
    const isFixed = strategy.combine.kind === "mean" && strategy.combine.divisor !== undefined;
    if (strategy.combines?.(spec) === false || (senders.length === 0 && !isFixed)) {
      model[name] = before;
      continue;
    }
    const change = before.map((value, e) => {
      const origin = paramsType === "FULL" ? value : 0;
      const column = senders.map(({ values, share }) => ({ value: at(values, e), share }));
      return combined(strategy, column, origin) - origin;
    });
    if (isInteger) {
      model[name] = before.map((value, e) => roundHalfEven(value + at(change, e)));
    } else if (strategy.step?.appliesTo(spec) === true) {
      const taken = take(strategy, { name, before, change, kept: state.tensors[name] ?? {}, stepNumber: state.steps + 1 });
      model[name] = before.map((value, e) => value + at(taken.change, e));
      states[name] = taken.kept;
    } else {
      model[name] = before.map((value, e) => value + at(change, e));
    }
  }
  return { model, state: { steps: state.steps + 1, tensors: states }, shares };
}

/** Each part by itself, on a model that has nothing but its tensors. */
function carryOutParts({ parts, ...own }: Strategy & Required<Pick<Strategy, "parts">>, round: ReferenceRound): ReferenceResult {
  const partOf = (name: string): number => (parts ?? []).findIndex((part) => part.has({ name, dtype: "F32", shape: [] }));
  const only = (tensors: ReferenceModel, part: number): ReferenceModel =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => partOf(name) === part));
  const roundOf = (part: number): ReferenceRound => ({
    ...round,
    base: only(round.base, part),
    updates: round.updates.map((update) => ({ ...update, tensors: only(update.tensors, part) })),
  });
  const rest = carryOut(own, roundOf(-1));
  const models = (parts ?? []).map(({ strategy }, part) => carryOut(strategy, roundOf(part)).model);
  return { ...rest, model: Object.assign({}, rest.model, ...models) as ReferenceModel };
}

/** The facts that an engine would measure. */
export function factsOf(
  strategy: Pick<Strategy, "needs">,
  updates: readonly ReferenceUpdate[],
  base: ReferenceModel,
  paramsType: "FULL" | "DIFF",
  integers: readonly string[] = [],
): StrategyFacts {
  const floats = Object.keys(base).filter((name) => !integers.includes(name));
  const flat = updates.map(({ tensors }) => {
    return floats.flatMap((name) => {
      const values = tensors[name] ?? tensorOf(base, name).map((value) => (paramsType === "FULL" ? value : 0));
      return values.map((value, e) => (paramsType === "FULL" ? value - at(tensorOf(base, name), e) : value));
    });
  });
  const square = (vector: readonly number[]): number => vector.reduce((sum, value) => sum + value * value, 0);
  return {
    contributors: updates.map(({ contributor, weight, staleness = 0 }, i) => ({
      contributor,
      weight,
      staleness,
      norm: strategy.needs.norms === true ? Math.sqrt(square(at(flat, i))) : undefined,
    })),
    squaredDistances:
      strategy.needs.distances === true
        ? Float64Array.from(flat.flatMap((a) => flat.map((b) => square(a.map((value, e) => value - at(b, e))))))
        : undefined,
  };
}

function combined(strategy: Strategy, column: readonly { readonly value: number; readonly share: Share }[], origin: number): number {
  const { combine } = strategy;
  const counted = column
    .filter(({ share }) => share.factor !== 0)
    .map(({ value }) => value)
    .sort((a, b) => a - b);
  switch (combine.kind) {
    case "mean": {
      const sum = column.reduce((total, { value, share }) => total + share.factor * (value - origin), 0);
      return origin + sum / (combine.divisor ?? column.reduce((total, { share }) => total + share.weight, 0));
    }
    case "median": {
      const low = at(counted, Math.ceil(counted.length / 2) - 1);
      return (low + at(counted, Math.floor(counted.length / 2))) / 2;
    }
    case "trimmed-mean": {
      const cut = Math.floor(combine.fraction * counted.length + 1e-9);
      const left = counted.slice(cut, counted.length - cut);
      return left.reduce((sum, value) => sum + value, 0) / left.length;
    }
    case "custom": {
      const into = new Float64Array(1);
      combine.combine(
        column.map(({ value }) => Float64Array.of(value)),
        column.map(({ share }) => share),
        into,
      );
      return at(into, 0);
    }
    default:
      throw new Error(`Not a way to combine: ${JSON.stringify(combine)}`);
  }
}

interface StepTaken {
  readonly name: string;
  readonly before: readonly number[];
  readonly change: readonly number[];
  readonly kept: ReferenceModel;
  readonly stepNumber: number;
}

function take(
  strategy: Strategy,
  { name, before, change, kept, stepNumber }: StepTaken,
): { change: readonly number[]; kept: ReferenceModel } {
  const { stateNames = [] } = strategy.step ?? {};
  const block = {
    tensor: name,
    firstElement: 0,
    change: Float64Array.from(change),
    base: Float64Array.from(before),
    state: stateNames.map((stateName) => Float64Array.from(kept[stateName] ?? before.map(() => 0))),
    stepNumber,
  };
  strategy.step?.apply(block);
  return {
    change: [...block.change],
    kept: Object.fromEntries(stateNames.map((stateName, s) => [stateName, Array.from(at(block.state, s), Math.fround)])),
  };
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function at<T>(list: ArrayLike<T>, index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error(`There is no element ${index}.`);
  return value;
}

function tensorOf(model: ReferenceModel, name: string): readonly number[] {
  const values = model[name];
  if (values === undefined) throw new Error(`There is no tensor ${name}.`);
  return values;
}
