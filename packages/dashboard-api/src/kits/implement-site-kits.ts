import { Buffer } from "node:buffer";
import { FlareError } from "@flare-ts/contracts";
import { issueSiteKit, uploadSiteRequest, withdrawSiteRequest } from "../contract/sites.js";
import type { DashboardParts } from "../dashboard-parts.js";
import { type Actor, requireReach } from "../http/actor.js";
import { type Implementation, implement } from "../http/implement.js";
import { readSite, type StoredSite } from "../project/site-store.js";
import { showSite } from "../project/site-view.js";
import { takeRequest, withdrawRequest } from "./answer-requests.js";
import { issueSiteKit as issue } from "./issue-kits.js";
import { siteHolder } from "./request-holder.js";
import { showNewKit } from "./show-new-kit.js";

/** Kits of sites: by a request whose key stays at the site, or made here. */
export function implementSiteKits({ db, kits }: DashboardParts): readonly Implementation[] {
  const { parts } = kits;
  const own = async (actor: Actor, id: string): Promise<StoredSite> => {
    const site = await readSite(db, id);
    requireReach(actor, site.organization);
    return site;
  };
  return [
    implement(uploadSiteRequest, async ({ actor, params, body }) => {
      const site = await own(actor, params.id);
      if (site.state === "rejected") throw new FlareError("dashboard/conflict", `'${site.name}' was rejected.`);
      await takeRequest(parts, actor, siteHolder(site), Buffer.concat(await body.toArray()));
      return await showSite(parts, await readSite(db, site.id));
    }),
    implement(withdrawSiteRequest, async ({ actor, params }) => {
      const site = await own(actor, params.id);
      await withdrawRequest(parts, actor, siteHolder(site));
      return await showSite(parts, site);
    }),
    implement(issueSiteKit, async ({ actor, params }) => {
      const site = await own(actor, params.id);
      return await showNewKit(parts, await issue(parts, actor, site.id));
    }),
  ];
}
