import { FlareError, type Json } from "@flare-ts/contracts";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import { abortable } from "../transfer/abortable.js";
import type { Connection } from "../transport/connection.js";
import { type CommandVerb, signCommand } from "./signed-command.js";

export interface SignedCallsComponents {
  /** Opens a registered connection; the signal ends the attempt. */
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
  readonly project: string;
  /** Study that each call is for. */
  readonly study: string;
  readonly now: () => number;
}

/** An admin's calls to the server, each signed for one study, over a connection that is dialled anew after it has broken. */
export class SignedCalls {
  readonly #parts: SignedCallsComponents;
  readonly #closing = new AbortController();
  #live: Promise<Connection> | undefined;

  constructor(components: SignedCallsComponents) {
    this.#parts = components;
  }

  /** The connection that is live, if there is one. */
  get live(): Promise<Connection | undefined> {
    return this.#live?.catch(() => undefined) ?? Promise.resolve(undefined);
  }

  /** The live connection, or a new one after the last has broken. @throws FlareError `runtime/session-closed` */
  readonly connect = async (): Promise<Connection> => {
    this.#closing.signal.throwIfAborted();
    if (this.#live !== undefined) return await this.#live;
    const dialled = this.#parts.dial(this.#closing.signal);
    this.#live = dialled;
    const forget = (): void => {
      if (this.#live === dialled) this.#live = undefined;
    };
    dialled.then((connection) => connection.closed.then(forget), forget);
    return await dialled;
  };

  /**
   * Does what takes several calls, until it is done, the caller's signal ends it, or the session is closed.
   *
   * @throws FlareError `internal/aborted`, `runtime/session-closed`, and what the work throws
   */
  async whileOpen<Result>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const either = this.#either(signal);
    try {
      either.throwIfAborted();
      return await work(either);
    } catch (reason) {
      throw this.#told(reason, signal);
    }
  }

  /**
   * Has the server carry out a command, and returns what it answers.
   *
   * @throws FlareError `internal/aborted`, `runtime/session-closed`, and what the server refuses
   */
  async execute(verb: CommandVerb, args: Readonly<Record<string, Json>>, signal?: AbortSignal): Promise<Json> {
    return await this.whileOpen(signal, async (either) => {
      const execute = async (connection: Connection): Promise<Json> => {
        const { resultJson } = await connection.execute(this.#sign(connection, verb, args), either);
        return JSON.parse(resultJson) as Json;
      };
      const connection = await abortable(this.connect(), either);
      return await execute(connection).catch(async (reason: unknown) => execute(await this.#reconnect(connection, reason, either)));
    });
  }

  /** What a command has the server tell, until it or the signal ends it. @throws FlareError what the server refuses */
  async *follow<Event>(
    verb: CommandVerb,
    args: Readonly<Record<string, Json>>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Event, void, undefined> {
    const told = this.#open(signal, (connection, either) => connection.follow(this.#sign(connection, verb, args), either));
    for await (const { eventJson } of told) yield JSON.parse(eventJson) as Event;
  }

  /** A job's journal after an entry, then live, until the job or the signal ends it. @throws FlareError what the server refuses */
  async *watchJournal(
    jobId: string,
    { after, signal }: { readonly after?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<JournalEntry, void, undefined> {
    const args = { job_id: jobId, ...(after === undefined ? {} : { after }) };
    const told = this.#open(signal, (connection, either) => connection.watch(this.#sign(connection, "watch_job", args), either));
    for await (const entry of told)
      yield { jobId: entry.jobId, seq: Number(entry.seq), atMs: Number(entry.atMs), event: JSON.parse(entry.eventJson) as JobEvent };
  }

  /** Ends what is under way, the attempt to connect as well; later calls are refused. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new FlareError("runtime/session-closed", "The session of this admin was closed."));
    void this.live.then((connection) => connection?.close());
  }

  async *#open<Told>(
    signal: AbortSignal | undefined,
    open: (connection: Connection, signal: AbortSignal) => AsyncIterable<Told>,
  ): AsyncGenerator<Told, void, undefined> {
    const either = this.#either(signal);
    let hasBegun = false;
    try {
      either.throwIfAborted();
      const connection = await abortable(this.connect(), either);
      try {
        for await (const told of open(connection, either)) {
          hasBegun = true;
          yield told;
        }
      } catch (reason) {
        if (hasBegun) throw reason;
        yield* open(await this.#reconnect(connection, reason, either), either);
      }
    } catch (reason) {
      throw this.#told(reason, signal);
    }
  }

  // A server ends sessions that nobody used for long. What such a session is asked is refused before anything is done, so
  // that it can be asked again in a new one.
  async #reconnect(connection: Connection, reason: unknown, signal: AbortSignal): Promise<Connection> {
    if (!(reason instanceof FlareError) || reason.code !== "auth/token-unknown") throw reason;
    await connection.closed;
    return await abortable(this.connect(), signal);
  }

  #either(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
  }

  /** What a call that was ended from this side throws, whatever it met on its way out; the caller may abort with any reason. */
  #told(reason: unknown, signal: AbortSignal | undefined): unknown {
    if (this.#closing.signal.aborted) return this.#closing.signal.reason;
    if (signal?.aborted !== true) return reason;
    const stop = FlareError.from(signal.reason);
    if (stop === signal.reason || stop.code === "internal/aborted") return stop;
    return new FlareError("internal/aborted", `The operation was stopped: ${stop.message}`, { cause: reason });
  }

  #sign(connection: Connection, verb: CommandVerb, args: Readonly<Record<string, Json>>): ReturnType<typeof signCommand> {
    const { project, study, now } = this.#parts;
    // The session's own keys: those in force may be newer by a moment.
    const { certificatePem, privateKeyPem } = connection.keys;
    return signCommand({
      verb,
      args,
      project,
      study,
      sessionId: connection.sessionId,
      certificatePem,
      privateKeyPem,
      nowMs: now(),
    });
  }
}
