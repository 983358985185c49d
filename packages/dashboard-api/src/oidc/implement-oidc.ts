import { FlareError } from "@flare-ts/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { strangerAt } from "../audit/audit-log.js";
import { linkInstitution, unlinkInstitution } from "../contract/me.js";
import { completeOidc, startOidc } from "../contract/session.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { isUniqueViolation } from "../db/unique-violation.js";
import { notFound } from "../http/actor.js";
import { type Implementation, implement, type RawAnswer } from "../http/implement.js";
import { enterSession } from "../people/enter-session.js";
import { ownRow, provePassword } from "../people/implement-me.js";
import { profileOf } from "../people/profile.js";
import { maySignIn } from "../people/sessions.js";
import type { OidcFlow } from "./oidc-provider.js";
import { linkIdentity, personOfIdentity } from "./person-of-identity.js";

/** Sign-in at institutions. */
export function implementOidc(parts: DashboardParts): readonly Implementation[] {
  const { db, oidc, audit } = parts;
  return [
    implement(startOidc, async ({ body, reply }) => begin(parts, reply, body)),
    implement(completeOidc, async ({ request, reply, address }) => {
      const flow = oidc.take(request, reply);
      return await orProblem(parts, flow?.linkTo === undefined ? "/sign-in" : "/profile", async () => {
        const provider = flow === undefined ? undefined : oidc.find(flow.provider);
        if (flow === undefined || provider === undefined) {
          throw new FlareError("dashboard/sign-in-elsewhere", "The sign-in took too long, or began in another browser.");
        }
        const identity = await provider.complete({ callbackUrl: callbackUrlOf(parts, request), flow });
        if (flow.linkTo !== undefined) {
          await linkIdentity(parts, identity, { provider: provider.id, linkTo: flow.linkTo }, address);
          return page(`${parts.publicUrl()}/profile`);
        }
        const person = await personOfIdentity(parts, identity, flow, address);
        if (person === undefined || !maySignIn(person)) {
          const subject = person?.email ?? identity.email ?? provider.id;
          const facts = { way: "oidc" };
          await audit.write(db, { actor: strangerAt(address), action: "session.signIn", subject, outcome: "refused", facts });
          throw new FlareError("dashboard/sign-in-elsewhere", "There is no account here that this sign-in leads to.");
        }
        await enterSession(parts, person, "oidc", { request, reply, address });
        return page(`${parts.publicUrl()}/`);
      });
    }),
    implement(linkInstitution, async ({ actor, body, reply }) => {
      // A sign-in that leads here stays after the session: whoever finds an open one must not add theirs.
      await provePassword(parts, await ownRow(parts, actor), body.password);
      return await begin(parts, reply, { provider: body.provider, linkTo: { personId: actor.personId, sessionId: actor.sessionId } });
    }),
    implement(unlinkInstitution, async ({ actor, params }) => {
      const person = await ownRow(parts, actor);
      await db.transaction().execute(async (tx) => {
        const mine = tx.deleteFrom("oidc_identities").where("person_id", "=", person.id);
        const { numDeletedRows } = await mine.where("provider", "=", params.provider).executeTakeFirst();
        if (numDeletedRows === 0n) throw notFound("This institution's sign-in does not lead to your account.");
        const left = await tx.selectFrom("oidc_identities").select("subject").where("person_id", "=", person.id).executeTakeFirst();
        if (left === undefined && person.password_hash === null) {
          throw new FlareError("dashboard/conflict", "You would have no way to sign in any more; set a password first.");
        }
        const facts = { provider: params.provider };
        await audit.write(tx, { actor, action: "me.unlinkInstitution", subject: actor.email, facts });
      });
      return await profileOf(db, person);
    }),
  ];
}

/** Where the browser goes, which keeps what is needed when it comes back. */
async function begin(
  parts: DashboardParts,
  reply: FastifyReply,
  { provider: id, ...init }: { readonly provider: string; readonly invitation?: string | undefined; readonly linkTo?: OidcFlow["linkTo"] },
): Promise<{ url: string }> {
  const provider = parts.oidc.find(id);
  if (provider === undefined) throw notFound("There is no such sign-in here.");
  const { url, flow } = await provider.begin({ ...init, redirectUri: callbackOf(parts), nowMs: parts.now() });
  parts.oidc.keep(reply, flow);
  return { url: url.href };
}

/** A browser is here, not a program: what goes wrong leads to a page, which says it. */
async function orProblem(parts: DashboardParts, path: string, work: () => Promise<RawAnswer>): Promise<RawAnswer> {
  try {
    return await work();
  } catch (reason) {
    const known = reason instanceof FlareError && reason.row.http < 500 ? reason : undefined;
    if (known === undefined && !isUniqueViolation(reason)) throw reason;
    if (known?.cause !== undefined) parts.logger.warn({ code: known.code, err: known.cause }, "a sign-in elsewhere failed");
    const code = known?.code ?? "dashboard/conflict";
    return page(`${parts.publicUrl()}${path}?problem=${encodeURIComponent(code)}`);
  }
}

/**
 * A page that goes on by itself. A redirect would still count as coming from the institution's site, and the browser would
 * keep the session's `SameSite=Strict` cookie back.
 */
function page(url: string): RawAnswer {
  const href = url.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  const head = `<meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${href}"><title>FLARE</title>`;
  return {
    headers: { "content-type": "text/html; charset=utf-8", "referrer-policy": "no-referrer" },
    body: `<!doctype html><html lang="en"><head>${head}</head><body><a href="${href}">Go on</a></body></html>`,
  };
}

function callbackOf({ publicUrl }: DashboardParts): string {
  return `${publicUrl()}/api/v1/oidc/callback`;
}

function callbackUrlOf(parts: DashboardParts, request: FastifyRequest): URL {
  const url = new URL(callbackOf(parts));
  const asked = request.url.indexOf("?");
  url.search = asked === -1 ? "" : request.url.slice(asked);
  return url;
}
