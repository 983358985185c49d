import { FlareError } from "@flare-ts/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { RouteDefinition } from "../contract/define-route.js";
import type { LiveSession, Sessions } from "../people/sessions.js";
import { isSameSecret } from "../secrets/tokens.js";
import type { Vault } from "../secrets/vault.js";
import type { Actor } from "./actor.js";
import type { SessionCookie } from "./session-cookie.js";

/** Stands before every route: who calls, whether the dashboard's own page sent it, whether the role permits it. */
export class RequestGuard {
  readonly #sessions: Sessions;
  readonly #vault: Vault;
  readonly #cookie: SessionCookie;
  readonly #publicOrigin: string | undefined;

  constructor(
    components: { readonly sessions: Sessions; readonly vault: Vault; readonly cookie: SessionCookie },
    init: { readonly publicOrigin: string | undefined },
  ) {
    this.#sessions = components.sessions;
    this.#vault = components.vault;
    this.#cookie = components.cookie;
    this.#publicOrigin = init.publicOrigin;
  }

  /** The session that a request's cookie names, if it is alive. */
  async liveSession(request: FastifyRequest): Promise<LiveSession | undefined> {
    const token = this.#cookie.read(request);
    return token === undefined ? undefined : this.#sessions.find(token);
  }

  /** The token that changes have to carry in this session. */
  csrfTokenOf(sessionId: string): string {
    return this.#vault.mac("csrf", sessionId);
  }

  /**
   * The person who calls a route; `undefined` for a stranger at an open one.
   *
   * @throws FlareError `dashboard/not-signed-in`, `dashboard/csrf`, `dashboard/waits-for-approval`, `dashboard/not-allowed`
   */
  async check(route: RouteDefinition, request: FastifyRequest, reply: FastifyReply): Promise<Actor | undefined> {
    const live = await this.liveSession(request);
    if (route.method !== "GET") this.#checkOrigin(request, live);
    if (live !== undefined) reply.header("x-csrf-token", this.csrfTokenOf(live.session.id));
    const actor = live === undefined || live.session.step !== "complete" ? undefined : actorOf(live, route, request);
    if (route.access === "open") return actor;
    if (actor === undefined) throw new FlareError("dashboard/not-signed-in", "This needs somebody who is signed in.");
    if (route.access === "signed-in") return actor;
    if (actor.state !== "approved") throw new FlareError("dashboard/waits-for-approval", "Your account waits for approval.");
    if (!route.access.includes(actor.role)) {
      throw new FlareError("dashboard/not-allowed", `The role ${actor.role} does not permit this; ${route.access.join(" or ")} may.`);
    }
    return actor;
  }

  #checkOrigin(request: FastifyRequest, live: LiveSession | undefined): void {
    const { origin, "sec-fetch-site": site, "x-csrf-token": token } = request.headers;
    if (origin !== undefined && !this.#isOwnOrigin(origin, request)) throw crossSite();
    if (site !== undefined && site !== "same-origin" && site !== "none") throw crossSite();
    // A stranger has nothing yet that another page could misuse, and JSON from another origin needs a preflight that is never granted.
    if (live === undefined) return;
    if (typeof token !== "string" || !isSameSecret(token, this.csrfTokenOf(live.session.id))) {
      throw new FlareError("dashboard/csrf", "The header x-csrf-token is missing or belongs to another session.");
    }
  }

  #isOwnOrigin(origin: string, request: FastifyRequest): boolean {
    if (this.#publicOrigin !== undefined) return origin === this.#publicOrigin;
    return URL.canParse(origin) && new URL(origin).origin === `${request.protocol}://${request.host}`;
  }
}

function actorOf({ session, person }: LiveSession, route: RouteDefinition, request: FastifyRequest): Actor {
  return {
    personId: person.id,
    email: person.email,
    name: person.name,
    organization: person.organization,
    role: person.role,
    state: person.state,
    sessionId: session.id,
    address: request.ip,
    reach: route.scope === "own-org" && person.role !== "project_admin" ? "own-org" : "all",
  };
}

function crossSite(): FlareError {
  return new FlareError("dashboard/csrf", "The request comes from another site's page.");
}
