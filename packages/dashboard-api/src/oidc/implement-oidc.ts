import { FlareError } from "@flare-ts/contracts";
import type { FastifyRequest } from "fastify";
import type { Selectable } from "kysely";
import { strangerAt } from "../audit/audit-log.js";
import { completeOidc, startOidc } from "../contract/session.js";
import type { DashboardParts } from "../dashboard-parts.js";
import type { Database } from "../db/tables.js";
import { isUniqueViolation } from "../db/unique-violation.js";
import { type Implementation, implement, type RawAnswer } from "../http/implement.js";
import { enterSession } from "../people/enter-session.js";
import { findInvitation } from "../people/open-invitation.js";
import type { PeopleTable } from "../people/people-tables.js";
import { maySignIn } from "../people/sessions.js";
import { signUpBy } from "../people/sign-up.js";
import type { OidcFlow, OidcIdentity } from "./oidc-provider.js";

/** Sign-in at institutions. */
export function implementOidc(parts: DashboardParts): readonly Implementation[] {
  const { oidc } = parts;
  return [
    implement(startOidc, async ({ query, reply }) =>
      orProblem(parts, async () => {
        const provider = oidc.find(query.provider);
        if (provider === undefined) throw new FlareError("dashboard/not-found", "There is no such sign-in here.");
        const redirectUri = callbackOf(parts);
        const { url, flow } = await provider.begin({ redirectUri, invitation: query.invitation, nowMs: parts.now() });
        oidc.keep(reply, flow);
        return { status: 303, headers: { location: url.href }, body: "" };
      }),
    ),
    implement(completeOidc, async ({ request, reply, address }) =>
      orProblem(parts, async () => {
        const flow = oidc.take(request, reply);
        const provider = flow === undefined ? undefined : oidc.find(flow.provider);
        if (flow === undefined || provider === undefined) {
          throw new FlareError("dashboard/sign-in-elsewhere", "The sign-in took too long, or began in another browser.");
        }
        const identity = await provider.complete({ callbackUrl: callbackUrlOf(parts, request), flow });
        const person = await personFor(parts, identity, flow, address);
        if (person === undefined || !maySignIn(person)) {
          const subject = person?.email ?? identity.email ?? provider.id;
          await parts.audit.write(parts.db, {
            actor: strangerAt(address),
            action: "session.signIn",
            subject,
            outcome: "refused",
            facts: { way: "oidc" },
          });
          throw new FlareError("dashboard/sign-in-elsewhere", "There is no account here for this sign-in.");
        }
        await enterSession(parts, person, "oidc", { request, reply, address });
        return page(`${parts.publicUrl()}/`);
      }),
    ),
  ];
}

/** The person of an identity: known by it, invited, or known by an address that may be believed. */
async function personFor(
  parts: DashboardParts,
  identity: OidcIdentity,
  flow: OidcFlow,
  address: string,
): Promise<Selectable<PeopleTable> | undefined> {
  const { db } = parts;
  const known = await db
    .selectFrom("oidc_identities")
    .innerJoin("people", "people.id", "oidc_identities.person_id")
    .selectAll("people")
    .where("issuer", "=", identity.issuer)
    .where("subject", "=", identity.subject)
    .executeTakeFirst();
  if (known !== undefined) return known;
  const { email } = identity;
  if (email === undefined) return undefined;
  if (flow.invitation !== undefined) {
    const invitation = await findInvitation(parts, db, flow.invitation);
    if (invitation.email !== null && invitation.email !== email) {
      throw new FlareError("dashboard/sign-in-elsewhere", "The invitation is for another e-mail address than the institution gave.");
    }
    const account = { name: identity.name ?? email, email, passwordHash: null, address };
    return signUpBy(parts, invitation, account, (tx, person) => link(tx, identity, flow, person.id));
  }
  const person = await db.selectFrom("people").selectAll().where("email", "=", email).executeTakeFirst();
  if (person === undefined || !maySignIn(person)) return person;
  await db.transaction().execute(async (tx) => {
    await link(tx, identity, flow, person.id);
    const actor = { email, personId: person.id, address };
    await parts.audit.write(tx, { actor, action: "session.linkOidc", subject: email, facts: { provider: flow.provider } });
  });
  return person;
}

async function link(db: Database, { issuer, subject }: OidcIdentity, { provider }: OidcFlow, personId: string): Promise<void> {
  await db.insertInto("oidc_identities").values({ issuer, subject, person_id: personId, provider }).execute();
}

/** A browser is here, not a program: what goes wrong leads to the page, which says it. */
async function orProblem(parts: DashboardParts, work: () => Promise<RawAnswer>): Promise<RawAnswer> {
  try {
    return await work();
  } catch (reason) {
    const known = reason instanceof FlareError && reason.row.http < 500 ? reason : undefined;
    if (known === undefined && !isUniqueViolation(reason)) throw reason;
    if (known?.cause !== undefined) parts.logger.warn({ code: known.code, err: known.cause }, "a sign-in elsewhere failed");
    const code = known?.code ?? "dashboard/conflict";
    return page(`${parts.publicUrl()}/sign-in?problem=${encodeURIComponent(code)}`);
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
