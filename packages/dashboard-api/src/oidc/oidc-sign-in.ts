import type { FastifyReply, FastifyRequest } from "fastify";
import type { Vault } from "../secrets/vault.js";
import { type OidcFlow, OidcProvider, type OidcProviderSettings } from "./oidc-provider.js";

/** A sign-in elsewhere has to end within so long. */
const flowLastsMs = 10 * 60_000;

/** The institutions' sign-ins, and the sealed cookie that binds a sign-in to the browser that began it. */
export class OidcSignIn {
  readonly providers: readonly OidcProvider[];
  readonly #vault: Vault;
  readonly #now: () => number;
  readonly #cookieName: string;
  readonly #isSecure: boolean;

  constructor(
    components: { readonly vault: Vault; readonly now: () => number },
    init: { readonly providers: readonly OidcProviderSettings[]; readonly isSecure: boolean },
  ) {
    this.#vault = components.vault;
    this.#now = components.now;
    this.providers = init.providers.map((settings) => new OidcProvider(settings));
    this.#isSecure = init.isSecure;
    this.#cookieName = init.isSecure ? "__Host-flare-oidc" : "flare-oidc";
  }

  /** The provider of an id. */
  find(id: string): OidcProvider | undefined {
    return this.providers.find((provider) => provider.id === id);
  }

  /** Keeps a flow in the browser. The way back begins on another site, so `SameSite=Strict` would lose the cookie. */
  keep(reply: FastifyReply, flow: OidcFlow): void {
    reply.setCookie(this.#cookieName, this.#vault.seal("oidc flow", JSON.stringify(flow)), {
      path: "/",
      httpOnly: true,
      secure: this.#isSecure,
      sameSite: "lax",
      maxAge: flowLastsMs / 1000,
    });
  }

  /** Takes the flow out of the browser; `undefined` when there is none, it is too old, or not ours. */
  take(request: FastifyRequest, reply: FastifyReply): OidcFlow | undefined {
    const sealed = request.cookies[this.#cookieName];
    if (sealed === undefined) return undefined;
    reply.clearCookie(this.#cookieName, { path: "/", httpOnly: true, secure: this.#isSecure, sameSite: "lax" });
    try {
      const flow = JSON.parse(this.#vault.open("oidc flow", sealed)) as OidcFlow;
      return this.#now() - flow.beganAtMs <= flowLastsMs ? flow : undefined;
    } catch {
      return undefined;
    }
  }
}
