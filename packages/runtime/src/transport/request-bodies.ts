import type { MethodDefinition } from "@grpc/grpc-js";

/** Remembers, for as long as a request lives, the bytes that it came in: they are what a proof of the call speaks of. */
export class RequestBodies {
  readonly #bodies = new WeakMap<object, Buffer>();

  /** The method with a decoder that remembers; that of a stream of requests is left as it is. */
  remember<Request, Reply>(method: MethodDefinition<Request, Reply>): MethodDefinition<Request, Reply> {
    if (method.requestStream) return method;
    return {
      ...method,
      requestDeserialize: (bytes) => {
        const request = method.requestDeserialize(bytes);
        if (typeof request === "object" && request !== null) this.#bodies.set(request, bytes);
        return request;
      },
    };
  }

  of(request: object): Buffer | undefined {
    return this.#bodies.get(request);
  }
}
