import { FlareError } from "@flare-ts/contracts";
import * as client from "openid-client";
import { unfitForLines } from "../contract/schemas.js";

/** An institution whose sign-in can be used here. */
export interface OidcProviderSettings {
  /** Stands in addresses and in the database: letters, digits, - and _. */
  readonly id: string;
  /** What the button says. */
  readonly title: string;
  /** Address of the provider; its configuration is read from there (OpenID Connect Discovery). */
  readonly issuer: string;
  readonly clientId: string;
  /** @default none: a public client, by PKCE alone */
  readonly clientSecret?: string;
  /** Only addresses in these domains are believed. @default any */
  readonly domains?: readonly string[];
  /**
   * Takes addresses that the provider does not call verified where an invitation to the address is used; some institutions never say so.
   * Such an address never leads to an account that is there. @default false
   */
  readonly believesUnverified?: boolean;
}

/** What a sign-in needs to know when it comes back; it travels sealed in a cookie. */
export interface OidcFlow {
  readonly provider: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly invitation?: string | undefined;
  /** Whose account the sign-in is to lead to from now on, and the session in which they asked for it. */
  readonly linkTo?: { readonly personId: string; readonly sessionId: string } | undefined;
  readonly beganAtMs: number;
}

/** Who came back from an institution's sign-in. */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** In small letters; `undefined` where there is none that may be believed. */
  readonly email: string | undefined;
  /** Whether the institution says that it made sure whose address it is. */
  readonly isEmailVerified: boolean;
  readonly name: string | undefined;
}

/** One institution's sign-in: authorization code flow with PKCE, state and nonce (OpenID Connect Core 3.1). */
export class OidcProvider {
  readonly id: string;
  readonly title: string;
  readonly #settings: OidcProviderSettings;
  #configuration: Promise<client.Configuration> | undefined;

  /** @throws FlareError `dashboard/invalid-settings` */
  constructor(settings: OidcProviderSettings) {
    const { id, title, issuer } = settings;
    if (!/^[A-Za-z0-9_-]{1,63}$/.test(id))
      throw new FlareError("dashboard/invalid-settings", `The provider's id '${id}' may hold letters, digits, - and _ only.`);
    if (!URL.canParse(issuer) || !(new URL(issuer).protocol === "https:" || isLoopback(issuer))) {
      throw new FlareError("dashboard/invalid-settings", `The provider ${id} needs an https:// address.`);
    }
    this.id = id;
    this.title = title;
    this.#settings = settings;
  }

  /** The address to which a browser goes, with what is needed when it comes back. */
  async begin(init: {
    readonly redirectUri: string;
    readonly invitation?: string | undefined;
    readonly linkTo?: OidcFlow["linkTo"];
    readonly nowMs: number;
  }): Promise<{ url: URL; flow: OidcFlow }> {
    const configuration = await this.#discovered();
    const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: init.redirectUri,
      scope: "openid email profile",
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
    const { invitation, linkTo, nowMs } = init;
    return { url, flow: { provider: this.id, state, nonce, verifier, invitation, linkTo, beganAtMs: nowMs } };
  }

  /**
   * Who came back; all that the specification asks for is checked.
   *
   * @throws FlareError `dashboard/sign-in-elsewhere`
   */
  async complete(init: { readonly callbackUrl: URL; readonly flow: OidcFlow }): Promise<OidcIdentity> {
    const configuration = await this.#discovered();
    try {
      const tokens = await client.authorizationCodeGrant(configuration, init.callbackUrl, {
        expectedState: init.flow.state,
        expectedNonce: init.flow.nonce,
        pkceCodeVerifier: init.flow.verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error("there is no ID token");
      // Providers may keep address and name for the user-info endpoint (OpenID Connect Core 5.4).
      const more = typeof claims["email"] === "string" ? {} : await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
      return this.#identity({ ...more, ...claims }, claims.iss);
    } catch (cause) {
      throw new FlareError("dashboard/sign-in-elsewhere", `The sign-in of ${this.title} did not succeed.`, { cause });
    }
  }

  #identity(claims: Readonly<Record<string, unknown>>, issuer: string): OidcIdentity {
    const email = typeof claims["email"] === "string" ? claims["email"].toLowerCase() : undefined;
    const isEmailVerified = claims["email_verified"] === true;
    const isGoodEnough = isEmailVerified || this.#settings.believesUnverified === true;
    const domains = this.#settings.domains?.map((domain) => domain.toLowerCase());
    const isOfDomain = domains === undefined || domains.includes(email?.split("@")[1] ?? "");
    const isBelieved = email !== undefined && isGoodEnough && isOfDomain && /^[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}$/.test(email);
    const name =
      typeof claims["name"] === "string"
        ? claims["name"]
            .replaceAll(new RegExp(`[${unfitForLines}]`, "gu"), " ")
            .trim()
            .slice(0, 200)
        : "";
    return {
      issuer,
      subject: String(claims["sub"]),
      email: isBelieved ? email : undefined,
      isEmailVerified: isBelieved && isEmailVerified,
      name: name === "" ? undefined : name,
    };
  }

  /** The provider's configuration is read when it is first needed: it may be down when the dashboard starts. */
  async #discovered(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#settings;
    this.#configuration ??= client.discovery(
      new URL(issuer),
      clientId,
      clientSecret,
      clientSecret === undefined ? client.None() : undefined,
      {
        timeout: 10,
        ...(isLoopback(issuer) ? { execute: [client.allowInsecureRequests] } : {}),
      },
    );
    try {
      return await this.#configuration;
    } catch (cause) {
      this.#configuration = undefined;
      throw new FlareError("dashboard/sign-in-elsewhere", `The sign-in of ${this.title} cannot be reached.`, { cause });
    }
  }
}

/** Clear HTTP is fine on this machine only, for trying things out. */
function isLoopback(issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer);
  return protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}
