import { FlareError, type Json } from "@flare-ts/contracts";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import type { Connection } from "../transport/connection.js";
import { type CommandVerb, signCommand } from "./signed-command.js";

export interface SignedCallsComponents {
  /** Opens a registered connection. */
  readonly dial: () => Promise<Connection>;
  readonly project: string;
  /** Study that each call is for. */
  readonly study: string;
  readonly now: () => number;
}

/** An admin's calls to the server, each signed for one study, over a connection that is dialled anew after it has broken. */
export class SignedCalls {
  readonly #parts: SignedCallsComponents;
  #live: Promise<Connection> | undefined;

  constructor(components: SignedCallsComponents) {
    this.#parts = components;
  }

  /** The connection that is live, if there is one. */
  get live(): Promise<Connection | undefined> {
    return this.#live?.catch(() => undefined) ?? Promise.resolve(undefined);
  }

  /** The live connection, or a new one after the last has broken. */
  readonly connect = (): Promise<Connection> => {
    if (this.#live !== undefined) return this.#live;
    const dialled = this.#parts.dial();
    this.#live = dialled;
    const forget = (): void => {
      if (this.#live === dialled) this.#live = undefined;
    };
    dialled.then((connection) => connection.closed.then(forget), forget);
    return dialled;
  };

  /** Has the server carry out a command, and returns what it answers. @throws FlareError what the server refuses */
  async execute(verb: CommandVerb, args: Readonly<Record<string, Json>>, signal?: AbortSignal): Promise<Json> {
    const execute = async (connection: Connection): Promise<Json> => {
      const { resultJson } = await connection.execute(this.#sign(connection, verb, args), signal);
      return JSON.parse(resultJson) as Json;
    };
    const connection = await this.connect();
    return await execute(connection).catch(async (reason: unknown) => execute(await this.#reconnect(connection, reason)));
  }

  /** What a command has the server tell, until it or the signal ends it. @throws FlareError what the server refuses */
  async *follow<Event>(
    verb: CommandVerb,
    args: Readonly<Record<string, Json>>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Event, void, undefined> {
    const told = this.#open((connection) => connection.follow(this.#sign(connection, verb, args), signal));
    for await (const { eventJson } of told) yield JSON.parse(eventJson) as Event;
  }

  /** A job's journal after an entry, then live, until the job or the signal ends it. @throws FlareError what the server refuses */
  async *watchJournal(
    jobId: string,
    { after, signal }: { readonly after?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<JournalEntry, void, undefined> {
    const args = { job_id: jobId, ...(after === undefined ? {} : { after }) };
    const told = this.#open((connection) => connection.watch(this.#sign(connection, "watch_job", args), signal));
    for await (const entry of told)
      yield { jobId: entry.jobId, seq: Number(entry.seq), atMs: Number(entry.atMs), event: JSON.parse(entry.eventJson) as JobEvent };
  }

  close(): void {
    void this.live.then((connection) => connection?.close());
  }

  async *#open<Told>(open: (connection: Connection) => AsyncIterable<Told>): AsyncGenerator<Told, void, undefined> {
    const connection = await this.connect();
    let hasBegun = false;
    try {
      for await (const told of open(connection)) {
        hasBegun = true;
        yield told;
      }
    } catch (reason) {
      if (hasBegun) throw reason;
      yield* open(await this.#reconnect(connection, reason));
    }
  }

  // A server ends sessions that nobody used for long. What such a session is asked is refused before anything is done, so
  // that it can be asked again in a new one.
  async #reconnect(connection: Connection, reason: unknown): Promise<Connection> {
    if (!(reason instanceof FlareError) || reason.code !== "auth/token-unknown") throw reason;
    await connection.closed;
    return await this.connect();
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
