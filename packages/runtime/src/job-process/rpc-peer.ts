import { FlareError, type SerializedFlareError } from "@flare-ts/contracts/errors";
import type { MessageChannel } from "./message-channel.js";

/** What one side of a channel takes: calls that it answers, and notices that it hears. Each call has one object of parameters. */
export interface RpcSide {
  readonly calls: object;
  readonly notices: object;
}

/** Parameters of a call in a map of calls. */
export type CallParams<Calls, Method extends keyof Calls> = Calls[Method] extends (params: infer Params) => unknown ? Params : never;

/** What a call resolves to. */
export type CallResult<Calls, Method extends keyof Calls> = Calls[Method] extends (params: never) => infer Result ? Awaited<Result> : never;

/** One function per call that a side answers. */
export type CallHandlers<Calls> = {
  readonly [Method in keyof Calls]: (params: CallParams<Calls, Method>) => CallResult<Calls, Method> | Promise<CallResult<Calls, Method>>;
};

/** One function per notice that a side hears. */
export type NoticeListeners<Notices> = { readonly [Name in keyof Notices]: (value: Notices[Name]) => void };

/**
 * One end of a channel: calls the other side, tells it things, and answers it. Messages keep their order in each direction:
 * a notice sent after an answer arrives after it. Errors cross as FlareErrors.
 *
 * Messages, one JSON object each: `{call, id, params}`, `{id, result}`, `{id, error}`, `{notice, value}`. A call without an id gets no
 * answer.
 */
export class RpcPeer<Own extends RpcSide, Other extends RpcSide> {
  readonly #channel: MessageChannel;
  readonly #handlers: CallHandlers<Own["calls"]>;
  readonly #listeners: NoticeListeners<Own["notices"]>;
  readonly #pending = new Map<number, PendingCall>();
  #lastId = 0;
  #isClosed = false;

  constructor(
    components: { readonly channel: MessageChannel },
    init: { readonly handlers: CallHandlers<Own["calls"]>; readonly listeners: NoticeListeners<Own["notices"]> },
  ) {
    this.#channel = components.channel;
    this.#handlers = init.handlers;
    this.#listeners = init.listeners;
  }

  /** Begins to take messages. Call it once, before anything else. */
  start(): void {
    this.#channel.onMessage((message) => this.#take(message));
    this.#channel.onClose(() => this.#end());
  }

  /**
   * Calls the other side.
   *
   * @throws what the other side threw, as a FlareError; `runtime/channel-closed` when it goes away before it answers.
   */
  call<Method extends keyof Other["calls"] & string>(
    method: Method,
    params: CallParams<Other["calls"], Method>,
  ): Promise<CallResult<Other["calls"], Method>> {
    if (this.#isClosed) return Promise.reject(closedError(method));
    const id = ++this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { method, resolve, reject }));
    this.#channel.send({ call: method, id, params });
    return answer as Promise<CallResult<Other["calls"], Method>>;
  }

  /** Calls the other side for nothing that comes back; what it throws is lost. For what is said often: half the messages. */
  tell<Method extends keyof Other["calls"] & string>(method: Method, params: CallParams<Other["calls"], Method>): void {
    this.#channel.send({ call: method, params });
  }

  /** Tells the other side something; nothing comes back. Dropped when the other side is gone. */
  notify<Name extends keyof Other["notices"] & string>(notice: Name, value: Other["notices"][Name]): void {
    this.#channel.send({ notice, value });
  }

  /** Ends the channel; calls that wait for an answer fail. */
  close(): void {
    this.#channel.close();
    this.#end();
  }

  #take(message: unknown): void {
    if (typeof message !== "object" || message === null) return;
    if ("call" in message) {
      void this.#answer(String(message.call), "id" in message ? message.id : undefined, "params" in message ? message.params : {});
    } else if ("notice" in message) {
      // A notice that is not known comes from a newer version, which means it to be ignored.
      ownFunction(this.#listeners, String(message.notice))?.("value" in message ? message.value : undefined);
    } else if ("id" in message && typeof message.id === "number") {
      this.#settle(message.id, message);
    }
  }

  async #answer(call: string, id: unknown, params: unknown): Promise<void> {
    try {
      const handler = ownFunction(this.#handlers, call);
      if (handler === undefined)
        throw new FlareError("runtime/unknown-call", `This process does not answer '${call}'.`, { facts: { call } });
      const result: unknown = await handler(params);
      if (id !== undefined) this.#channel.send({ id, result });
    } catch (reason) {
      if (id !== undefined) this.#channel.send({ id, error: FlareError.from(reason).toJSON() });
    }
  }

  #settle(id: number, message: object): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if ("error" in message) pending.reject(FlareError.fromJSON(message.error as SerializedFlareError));
    else pending.resolve("result" in message ? message.result : undefined);
  }

  #end(): void {
    this.#isClosed = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { method, reject } of pending) reject(closedError(method));
  }
}

interface PendingCall {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: FlareError) => void;
}

function ownFunction(table: object, name: string): ((value: unknown) => unknown) | undefined {
  if (!Object.hasOwn(table, name)) return undefined;
  const value: unknown = (table as Readonly<Record<string, unknown>>)[name];
  return typeof value === "function" ? (value as (value: unknown) => unknown) : undefined;
}

function closedError(method: string): FlareError {
  return new FlareError("runtime/channel-closed", `The other process went away before it answered '${method}'.`, { facts: { method } });
}
