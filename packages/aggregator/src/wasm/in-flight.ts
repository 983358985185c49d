import { slotCount } from "./work-slots.js";

export interface InFlightInit<Item, Result> {
  readonly items: Iterable<Item>;
  readonly start: (item: Item) => Promise<Result>;
  /** Called once for each result, when it was used or is not wanted any more. */
  readonly release: (result: Result) => void;
}

/** Works on a few items at once and gives the results in the order of the items. */
export class InFlight<Item, Result> {
  readonly #init: InFlightInit<Item, Result>;

  constructor(init: InFlightInit<Item, Result>) {
    this.#init = init;
  }

  /** Gives results, each valid until the next is asked for; on an error, and when it is left early, nothing stays under way. */
  async *results(): AsyncGenerator<Result> {
    const { items, start, release } = this.#init;
    const started: Promise<Result>[] = [];
    const next = async (): Promise<Result> => (await started.shift()) as Result;
    try {
      for (const item of items) {
        const result = start(item);
        // The order decides which error is told; that of a later item must not end the process before.
        result.catch(() => {});
        started.push(result);
        if (started.length < slotCount) continue;
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
}
