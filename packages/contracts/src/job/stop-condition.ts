/** Comparisons that a stop condition can make. */
export type Comparison = ">=" | "<=" | "==" | ">" | "<";

/** Ends training when a metric of the global model reaches a value. */
export interface StopCondition {
  readonly metric: string;
  readonly comparison: Comparison;
  readonly value: number;
}

/** Reads FLARE's form, `accuracy >= 0.95`; `undefined` when the text is something else. */
export function parseStopCondition(text: string): StopCondition | undefined {
  const match = /^\s*([A-Za-z_][\w./-]*)\s*(>=|<=|==|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$/.exec(text);
  const [, metric, comparison, number] = match ?? [];
  if (metric === undefined || comparison === undefined || number === undefined) return undefined;
  const value = Number(number);
  return Number.isFinite(value) ? { metric, comparison: comparison as Comparison, value } : undefined;
}

/** Whether a value of the metric meets the condition. */
export function meetsStopCondition(condition: StopCondition, value: number): boolean {
  return holds[condition.comparison](value, condition.value);
}

const holds: Readonly<Record<Comparison, (value: number, bound: number) => boolean>> = {
  ">=": (value, bound) => value >= bound,
  "<=": (value, bound) => value <= bound,
  "==": (value, bound) => value === bound,
  ">": (value, bound) => value > bound,
  "<": (value, bound) => value < bound,
};
