import { abortable } from "./abortable.js";

/** A caller that waits for a shared piece of work. */
export interface Passenger {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs one piece of work for all who ask for it under one key; it is aborted when the last of them has aborted. */
export class SharedFlights<Result> {
  readonly #flights = new Map<string, Flight<Result>>();

  async join(
    key: string,
    passenger: Passenger,
    start: (report: (done: number, total: number) => void, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const flight = this.#flights.get(key) ?? this.#start(key, start);
    flight.passengers.add(passenger);
    try {
      return await abortable(flight.result, passenger.signal);
    } finally {
      flight.passengers.delete(passenger);
      if (flight.passengers.size === 0) {
        // Nobody may join a flight that is being stopped.
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        flight.abort.abort();
      }
    }
  }

  #start(key: string, start: (report: (done: number, total: number) => void, signal: AbortSignal) => Promise<Result>): Flight<Result> {
    const passengers = new Set<Passenger>();
    const abort = new AbortController();
    const report = (done: number, total: number): void => {
      for (const { onProgress } of passengers) onProgress?.(done, total);
    };
    const flight: Flight<Result> = { passengers, abort, result: start(report, abort.signal) };
    this.#flights.set(key, flight);
    const forget = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.result.then(forget, forget);
    return flight;
  }
}

interface Flight<Result> {
  readonly passengers: Set<Passenger>;
  readonly abort: AbortController;
  readonly result: Promise<Result>;
}
