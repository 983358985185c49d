import type { FastifyReply, FastifyRequest } from "fastify";

/** The session's cookie: never readable by scripts, never sent from other sites' pages, over TLS only unless on clear loopback. */
export class SessionCookie {
  readonly #isSecure: boolean;
  readonly name: string;

  constructor(init: { readonly isSecure: boolean }) {
    this.#isSecure = init.isSecure;
    // The prefix makes browsers refuse a cookie of this name that a neighbour on the same domain sets (RFC 6265bis 4.1.3.2).
    this.name = init.isSecure ? "__Host-flare" : "flare";
  }

  /** The token that a request carries. */
  read(request: FastifyRequest): string | undefined {
    const value = request.cookies[this.name];
    return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined;
  }

  /** Gives a browser its session's token; it forgets it when it closes. */
  write(reply: FastifyReply, token: string): void {
    reply.setCookie(this.name, token, { ...this.#attributes, sameSite: "strict" });
  }

  /** Makes a browser forget its session. */
  clear(reply: FastifyReply): void {
    reply.clearCookie(this.name, { ...this.#attributes, sameSite: "strict" });
  }

  get #attributes(): { path: string; httpOnly: true; secure: boolean } {
    return { path: "/", httpOnly: true, secure: this.#isSecure };
  }
}
