export interface InFlightInit<Item, Result> {
  readonly items: Iterable<Item>;
  /** Items that are worked on at once. */
  readonly count: number;
  readonly start: (item: Item) => Promise<Result>;
  /** Called once for each result, when it was used or is not wanted any more. */
  readonly release: (result: Result) => void;
}

/**
 * Works on a few items at once and gives the results in the order of the items, each valid until the next is asked for. On an
 * error, and when it is left early, nothing stays under way.
 */
export async function* inFlight<Item, Result>({ items, count, start, release }: InFlightInit<Item, Result>): AsyncGenerator<Result> {
  const started: Promise<Result>[] = [];
  const next = async (): Promise<Result> => (await started.shift()) as Result;
  try {
    for (const item of items) {
      const result = start(item);
      // The order decides which error is told; that of a later item must not end the process before.
      result.catch(() => {});
      started.push(result);
      if (started.length < count) continue;
      const first = await next();
      try {
        yield first;
      } finally {
        release(first);
      }
    }
    while (started.length > 0) {
      const first = await next();
      try {
        yield first;
      } finally {
        release(first);
      }
    }
  } finally {
    for (const result of await Promise.allSettled(started)) if (result.status === "fulfilled") release(result.value);
  }
}
