import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Configuration, Provider } from "oidc-provider";
import { onTestFinished } from "vitest";

/** What the institution says of an account. */
export interface InstitutionAccount {
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
}

/** A real OpenID provider on loopback. */
export interface Institution {
  readonly issuer: string;
  readonly accounts: Map<string, InstitutionAccount>;
  /** Makes it know the dashboard. */
  readonly register: (redirectUri: string) => void;
}

export const institutionClient = { clientId: "flare-dashboard", clientSecret: "a secret of the test" } as const;

/** Starts a provider that is stopped when the test ends. */
export async function startInstitution(): Promise<Institution> {
  const accounts = new Map<string, InstitutionAccount>();
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown = (_request, response) => response.writeHead(503).end();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const register = (redirectUri: string): void => {
    const { clientId, clientSecret } = institutionClient;
    const configuration: Configuration = {
      clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      cookies: { keys: ["only for this test"] },
      findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts.get(id) }) }),
      pkce: { required: () => true },
    };
    answer = new Provider(issuer, configuration).callback();
  };
  return { issuer, accounts, register };
}

/** Goes through the provider's pages as a person with a browser does, and gives the address that leads back. */
export async function signInThere(start: URL, login: string, fetch: typeof globalThis.fetch): Promise<URL> {
  let url = start;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 20; step++) {
    const response = await fetch(url.href, {
      redirect: "manual",
      ...(form === undefined ? {} : { method: "POST", body: form, headers: { "content-type": "application/x-www-form-urlencoded" } }),
    });
    form = undefined;
    const location = response.headers.get("location");
    if (location !== null) {
      url = new URL(location, url);
      if (url.pathname.endsWith("/oidc/callback")) return url;
      continue;
    }
    const page = await response.text();
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    const action = /action="([^"]+)"/.exec(page)?.[1];
    if (prompt === undefined || action === undefined) throw new Error(`a page without a form: ${page.slice(0, 500)}`);
    form = new URLSearchParams({ prompt, ...(prompt === "login" ? { login, password: "any" } : {}) });
    url = new URL(action, url);
  }
  throw new Error("the provider leads nowhere");
}
