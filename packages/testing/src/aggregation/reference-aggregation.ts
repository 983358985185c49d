import type { ParamsType, Share, Strategy } from "@flare-ts/aggregator";

/** One floating tensor of a small model, by name. */
export type Values = Readonly<Record<string, readonly number[]>>;

export interface ReferenceUpdate {
  readonly contributor: string;
  readonly weight: number;
  readonly staleness: number;
  readonly values: Values;
}

/**
 * What a strategy makes of updates, slow and obvious: float64 numbers, element by element, straight from the definition that
 * `Strategy` gives. State of server steps goes in and comes out as it is.
 */
export function referenceAggregate(strategy: Strategy, round: ReferenceRound): ReferenceResult {
  const { parts = [], ...own } = strategy;
  const partOf = (name: string): number => parts.findIndex((part) => part.has({ name, dtype: "F32", shape: [] }));
  const only = (values: Values, part: number): Values =>
    Object.fromEntries(Object.entries(values).filter(([name]) => partOf(name) === part));
  // Each part by itself, on a model that has nothing but its tensors.
  const results = [...parts.keys(), -1].map((part) =>
    aggregateOne(parts[part]?.strategy ?? own, {
      ...round,
      base: only(round.base, part),
      updates: round.updates.map((update) => ({ ...update, values: only(update.values, part) })),
    }),
  );
  const models = results.map(({ model }) => model);
  return { model: Object.assign({}, ...models) as Values, state: results.at(-1)?.state ?? {} };
}

export interface ReferenceRound {
  readonly updates: readonly ReferenceUpdate[];
  readonly base: Values;
  readonly paramsType: ParamsType;
  readonly state?: Readonly<Record<string, Values>>;
  readonly stepNumber?: number;
}

export interface ReferenceResult {
  readonly model: Values;
  readonly state: Readonly<Record<string, Values>>;
}

function aggregateOne(strategy: Strategy, { updates, base, paramsType, state = {}, stepNumber = 1 }: ReferenceRound): ReferenceResult {
  const sorted = updates.toSorted((a, b) => (a.contributor < b.contributor ? -1 : 1));
  const shares = sharesOf(strategy, sorted, base, paramsType);
  const model: Record<string, readonly number[]> = {};
  const after: Record<string, Record<string, readonly number[]>> = Object.fromEntries(
    (strategy.step?.stateNames ?? []).map((name) => [name, {}]),
  );
  for (const [tensor, from] of Object.entries(base)) {
    const spec = { name: tensor, dtype: "F32" as const, shape: [from.length] };
    const senders = sorted.flatMap((update, i) => {
      const share = shares[i] as Share;
      const values = update.values[tensor];
      return values === undefined || strategy.combines?.(spec) === false || (share.factor === 0 && share.weight === 0)
        ? []
        : [{ values, share }];
    });
    const divisor = strategy.combine.kind === "mean" ? strategy.combine.divisor : undefined;
    if (senders.length === 0 && (divisor === undefined || strategy.combines?.(spec) === false)) {
      model[tensor] = from;
      for (const name of Object.keys(after))
        (after[name] as Record<string, readonly number[]>)[tensor] = state[name]?.[tensor] ?? from.map(() => 0);
      continue;
    }
    const total = divisor ?? senders.reduce((sum, { share }) => sum + share.weight, 0);
    const changes = from.map((before, element) => {
      const zero = paramsType === "FULL" ? before : 0;
      const column = senders.map(({ values }) => values[element] as number);
      if (strategy.combine.kind === "mean") {
        return senders.reduce((sum, { share }, i) => sum + share.factor * ((column[i] as number) - zero), 0) / total;
      }
      return middle(strategy, column, senders) - zero;
    });
    if (strategy.step?.appliesTo(spec) === true) {
      const change = Float64Array.from(changes);
      const states = strategy.step.stateNames.map((name) => Float64Array.from(state[name]?.[tensor] ?? from.map(() => 0)));
      strategy.step.apply({ tensor, firstElement: 0, change, base: Float64Array.from(from), state: states, stepNumber });
      model[tensor] = from.map((before, i) => before + (change[i] as number));
      for (const [i, name] of strategy.step.stateNames.entries())
        (after[name] as Record<string, readonly number[]>)[tensor] = [...(states[i] as Float64Array)];
    } else model[tensor] = from.map((before, i) => before + (changes[i] as number));
  }
  return { model, state: after };
}

function sharesOf(strategy: Strategy, updates: readonly ReferenceUpdate[], base: Values, paramsType: ParamsType): readonly Share[] {
  if (strategy.weigh === undefined) return updates.map(({ weight }) => ({ factor: weight, weight }));
  const flat = updates.map(({ values }) => Object.keys(base).flatMap((tensor) => values[tensor] ?? []));
  const origin = Object.values(base).flat();
  const squares = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0);
  return strategy.weigh({
    contributors: updates.map(({ contributor, weight, staleness }, i) => ({
      contributor,
      weight,
      staleness,
      norm: strategy.needs.norms === true ? Math.sqrt(squares(flat[i] ?? [], paramsType === "FULL" ? origin : [])) : undefined,
    })),
    squaredDistances:
      strategy.needs.distances === true ? Float64Array.from(flat.flatMap((a) => flat.map((b) => squares(a, b)))) : undefined,
  });
}

function middle({ combine }: Strategy, column: readonly number[], senders: readonly { readonly share: Share }[]): number {
  if (combine.kind === "custom") {
    const into = new Float64Array(1);
    combine.combine(
      column.map((value) => Float64Array.of(value)),
      senders.map(({ share }) => share),
      into,
    );
    return into[0] as number;
  }
  const sorted = column.toSorted((a, b) => a - b);
  const cut = combine.kind === "trimmed-mean" ? Math.floor(combine.fraction * column.length + 1e-9) : Math.floor((column.length - 1) / 2);
  const kept = sorted.slice(cut, column.length - cut);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}
