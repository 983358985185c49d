import helmet from "@fastify/helmet";
import type { FastifyInstance } from "fastify";

/** What an answer of the API may do in a browser: nothing. */
const apiPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/**
 * Sets what browsers have to keep to. `hasStrictTransport` tells them to use TLS from now on; with a certificate that the
 * dashboard made itself it would also forbid them to go on past their warning, so it is for real certificates only.
 */
export async function addSecurityHeaders(app: FastifyInstance, init: { readonly hasStrictTransport: boolean }): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: false,
    strictTransportSecurity: init.hasStrictTransport ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    frameguard: { action: "deny" },
    referrerPolicy: { policy: "no-referrer" },
  });
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("content-security-policy", apiPolicy).header("permissions-policy", "camera=(), microphone=(), geolocation=()");
  });
}

/** What the page may do: load its own files, and styles that carry this answer's nonce. */
export function pagePolicy(nonce: string): string {
  return [
    "default-src 'self'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}
