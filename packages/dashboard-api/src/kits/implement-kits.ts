import { FlareError } from "@flare-ts/contracts";
import { strangerAt } from "../audit/audit-log.js";
import {
  createKitLink,
  downloadKit,
  issueServerKit,
  listKits,
  readKitLink,
  revokeKit,
  revokeKitLink,
  useKitLink,
} from "../contract/kits.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Actor, notFound } from "../http/actor.js";
import { type Implementation, implement } from "../http/implement.js";
import { readFrozenProject } from "../project/project-store.js";
import { createLink, deliver, findLink, takeLink } from "./deliveries.js";
import { issueServerKit as issueServer } from "./issue-kits.js";
import { type KitRow, readKitRows } from "./kit-rows.js";
import { KitView } from "./kit-view.js";
import { askRevocation, noteRevocations } from "./revocations.js";
import { readKit, showKit, showNewKit } from "./show-new-kit.js";

const hourMs = 60 * 60_000;

/** Kits that were issued: list, download, links, revocation; and those of the server and of people. */
export function implementKits({ db, now, audit, changes, kits, publicUrl }: DashboardParts): readonly Implementation[] {
  const { parts } = kits;
  const seen = async (actor: Actor, id: string): Promise<KitRow> => {
    const row = await readKit(parts, id);
    if (!maySee(actor, row)) throw notFound();
    return row;
  };
  return [
    implement(listKits, async ({ actor }) => {
      await noteRevocations(parts);
      const view = await KitView.read(parts);
      return { kits: (await readKitRows(db)).filter((row) => maySee(actor, row)).map((row) => view.show(row)) };
    }),
    implement(issueServerKit, async ({ actor }) => await showNewKit(parts, await issueServer(parts, actor))),
    implement(revokeKit, async ({ actor, params, body: { reason } }) => {
      const row = await seen(actor, params.id);
      if (row.revoked_at_ms !== null) throw new FlareError("dashboard/conflict", `This kit of '${row.participant}' is revoked already.`);
      // Certificates are revoked by name, and the name may be somebody else's by now.
      const standing = (await readKitRows(db, { participant: row.participant })).filter((one) => one.revoked_at_ms === null);
      if (!standing.every((one) => maySee(actor, one)))
        throw new FlareError("dashboard/conflict", `'${row.participant}' is another organisation's by now; a project admin can revoke it.`);
      await askRevocation(parts, row.participant, { actor, by: actor.name, reason });
      // The dashboard goes on with another one of its own.
      if (row.kind === "dashboard") await kits.catchUp();
      return await showKit(parts, row.id);
    }),
    implement(downloadKit, async ({ actor, params, reply }) => {
      const row = await seen(actor, params.id);
      refuseForeign(actor, row);
      return await deliver(parts, row, { actor, shownAs: actor.name }, reply);
    }),
    implement(createKitLink, async ({ actor, params, body: { expiresInHours } }) => {
      const row = await seen(actor, params.id);
      refuseForeign(actor, row);
      const token = await createLink(parts, row, { actor, by: actor.name, expiresAtMs: now() + expiresInHours * hourMs });
      // Behind #, which no server and no proxy is sent.
      return { kit: await showKit(parts, row.id), link: `${publicUrl()}/kit-link#${token}` };
    }),
    implement(revokeKitLink, async ({ actor, params }) => {
      const row = await seen(actor, params.id);
      await db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("kit_links").where("kit_id", "=", row.id).execute();
        await audit.write(transaction, { actor, action: "kits.revoke-link", subject: row.participant, facts: { serial: row.serial } });
      });
      changes.publish("kits");
      return await showKit(parts, row.id);
    }),
    implement(readKitLink, async ({ body }) => {
      const { row, expiresAtMs } = await findLink(parts, body.token);
      const { name } = await readFrozenProject(db);
      const { kind, source, participant, archive_name, archive_bytes } = row;
      const rootFingerprint = (await parts.workspace.trust(name))?.rootFingerprint ?? "";
      return {
        project: name,
        rootFingerprint,
        kind,
        source,
        participant,
        fileName: archive_name ?? "",
        bytes: archive_bytes ?? 0,
        expiresAtMs,
      };
    }),
    implement(useKitLink, async ({ body, address, reply }) => {
      const { row } = await findLink(parts, body.token);
      await takeLink(parts, reply, body.token);
      return await deliver(parts, row, { actor: strangerAt(address), shownAs: `link, from ${address}` }, reply);
    }),
  ];
}

/** Everything for a project admin; for org admins what belongs to their organisation's sites; for everybody their own. */
function maySee(actor: Actor, row: KitRow): boolean {
  if (actor.role === "project_admin" || row.person_id === actor.personId) return true;
  return actor.role === "org_admin" && row.kind === "site" && row.organization === actor.organization;
}

/** Nobody takes another person's console kit. */
function refuseForeign(actor: Actor, row: KitRow): void {
  if (row.kind === "console" && row.person_id !== actor.personId) {
    throw new FlareError("dashboard/not-allowed", "A console kit is downloaded by the person whom it is for.");
  }
}
