import { FlareError } from "@flare-ts/contracts";
import type { z } from "zod";
import { createSite, decideSite, getParticipantFile, getSite, listSites, removeSite, revokeSite, updateSite } from "../contract/sites.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Actor, reaches, requireReach } from "../http/actor.js";
import { type Implementation, implement } from "../http/implement.js";
import { checkComposes } from "../kits/project-files.js";
import { askRevocation, noteRevocations } from "../kits/revocations.js";
import { createId } from "../secrets/tokens.js";
import { changedKeys } from "./changed-keys.js";
import { participantFile } from "./participant-file.js";
import { changedMeanwhile, readProject } from "./project-store.js";
import { checkProperties, checkSiteName, refuseIssued, refuseLive, withFreeName } from "./site-changes.js";
import { readSite, readSites, type StoredSite } from "./site-store.js";
import { missingProperties, showSite, showSites } from "./site-view.js";

/** Sites and what is decided about them. */
export function implementSites({ db, now, randomBytes, audit, changes, kits }: DashboardParts): readonly Implementation[] {
  const { parts } = kits;
  const own = async (actor: Actor, id: string): Promise<StoredSite> => {
    const site = await readSite(db, id);
    requireReach(actor, site.organization);
    return site;
  };
  const change = async (actor: Actor, site: StoredSite, body: z.output<(typeof updateSite)["body"]>): Promise<string> => {
    requireSeen(site, body.version);
    const project = await readProject(db);
    if (body.properties !== undefined) checkProperties(project, body.properties);
    const { name = site.name } = body;
    if (name !== site.name) {
      checkSiteName(project, name);
      await refuseIssued(db, site);
      if (site.state === "approved") await checkComposes(db, project, { ...site, name });
    }
    const said = {
      name,
      name_key: name.toLowerCase(),
      description: body.description ?? site.description,
      gpus: body.capacity?.gpus ?? site.capacity.gpus,
      mem_per_gpu_gib: body.capacity?.memPerGpuGiB ?? site.capacity.memPerGpuGiB,
      properties: JSON.stringify(body.properties ?? site.properties),
      allow_log_streaming: Number(body.allowLogStreaming ?? site.allowLogStreaming),
      version: site.version + 1,
      changed_by: actor.name,
    };
    await withFreeName(name, async () =>
      db.transaction().execute(async (transaction) => {
        await transaction.updateTable("sites").set(said).where("id", "=", site.id).execute();
        // What was approved was the site of the other name.
        if (name !== site.name) {
          await transaction.deleteFrom("certificate_requests").where("holder_id", "=", site.id).execute();
          if (actor.role !== "project_admin")
            await transaction.updateTable("sites").set({ state: "pending" }).where("id", "=", site.id).execute();
        }
        const { version: _, ...written } = body;
        const facts = { fields: changedKeys(site, written).join(", ") };
        await audit.write(transaction, { actor, action: "sites.update", subject: site.name, facts });
      }),
    );
    return site.id;
  };
  const decide = async (
    actor: Actor,
    site: StoredSite,
    { decision, note, version }: z.output<(typeof decideSite)["body"]>,
  ): Promise<StoredSite> => {
    // Who approves has looked at what is approved.
    requireSeen(site, version);
    const project = await readProject(db);
    const missing = missingProperties(project, site);
    if (decision === "approve" && missing.length > 0) {
      throw new FlareError("dashboard/conflict", `'${site.name}' has not filled in: ${missing.join(", ")}.`);
    }
    if (decision === "approve") await checkComposes(db, project, site);
    const state = decision === "approve" ? "approved" : "rejected";
    await db.transaction().execute(async (transaction) => {
      const decided = { state, decided_at_ms: now(), decided_by: actor.name, decision_note: note } as const;
      await transaction.updateTable("sites").set(decided).where("id", "=", site.id).execute();
      await audit.write(transaction, { actor, action: `sites.${decision}`, subject: site.name });
    });
    return site;
  };
  return [
    implement(listSites, async ({ actor }) => {
      await noteRevocations(parts);
      const sites = (await readSites(db)).filter(({ organization }) => reaches(actor, organization));
      return { sites: await showSites(parts, sites) };
    }),
    implement(createSite, async ({ actor, body }) => {
      const organization = body.organization ?? actor.organization;
      if (!reaches(actor, organization)) {
        throw new FlareError("dashboard/not-allowed", `Sites of '${organization}' are added by its own org admin, or a project admin.`);
      }
      const project = await readProject(db);
      checkProperties(project, body.properties);
      checkSiteName(project, body.name);
      const id = createId(randomBytes);
      await withFreeName(body.name, async () =>
        db.transaction().execute(async (transaction) => {
          await transaction
            .insertInto("sites")
            .values({
              id,
              name: body.name,
              name_key: body.name.toLowerCase(),
              organization,
              description: body.description,
              state: "pending",
              gpus: body.capacity.gpus,
              mem_per_gpu_gib: body.capacity.memPerGpuGiB,
              properties: JSON.stringify(body.properties),
              allow_log_streaming: Number(body.allowLogStreaming ?? project.allowLogStreaming),
              created_at_ms: now(),
              created_by: actor.name,
              decision_note: "",
              version: 1,
            })
            .execute();
          await audit.write(transaction, { actor, action: "sites.create", subject: body.name, facts: { organization } });
        }),
      );
      changes.publish("sites");
      return await showSite(parts, await readSite(db, id));
    }),
    implement(getSite, async ({ actor, params }) => await showSite(parts, await own(actor, params.id))),
    implement(updateSite, async ({ actor, params, body }) => {
      // In turn: a kit that is being issued says the name that the site had when it began.
      const id = await parts.turns.take(async () => await change(actor, await own(actor, params.id), body));
      changes.publish("sites");
      return await showSite(parts, await readSite(db, id));
    }),
    implement(removeSite, async ({ actor, params }) => {
      await parts.turns.take(async () => {
        const site = await own(actor, params.id);
        await refuseLive(db, await readProject(db), site, now());
        await db.transaction().execute(async (transaction) => {
          await transaction.deleteFrom("sites").where("id", "=", site.id).execute();
          await audit.write(transaction, { actor, action: "sites.remove", subject: site.name });
        });
      });
      changes.publish("sites");
    }),
    implement(decideSite, async ({ actor, params, body }) => {
      // In turn: a kit that is being issued to a site that is approved no more must be there to be revoked.
      const site = await parts.turns.take(async () => await decide(actor, await readSite(db, params.id), body));
      changes.publish("sites");
      if (body.decision === "reject") await askRevocation(parts, site.name, { actor, by: actor.name, reason: "privilegeWithdrawn" });
      else await kits.catchUp();
      return await showSite(parts, await readSite(db, site.id));
    }),
    implement(revokeSite, async ({ actor, params, body: { reason } }) => {
      const site = await own(actor, params.id);
      await askRevocation(parts, site.name, { actor, by: actor.name, reason });
      return await showSite(parts, site);
    }),
    implement(getParticipantFile, async ({ actor, params }) => {
      const site = await own(actor, params.id);
      const headers = { "content-disposition": 'attachment; filename="participant.yaml"' };
      return { headers, body: participantFile(await readProject(db), site) };
    }),
  ];
}

/** Whoever names a version has seen that one. @throws FlareError `dashboard/changed-meanwhile` */
function requireSeen(site: StoredSite, version: number | undefined): void {
  if (version !== undefined && version !== site.version) throw changedMeanwhile(`'${site.name}'`, site.changedBy);
}
