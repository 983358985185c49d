import type { Site } from "../contract/sites.js";
import type { KitParts } from "../kits/kit-parts.js";
import { KitView, newestSiteKits } from "../kits/kit-view.js";
import { readRequests, showRequest, siteHolder, waitsFor } from "../kits/request-holder.js";
import { readProject, type StoredProject } from "./project-store.js";
import type { StoredSite } from "./site-store.js";

/** Shows sites as the contract says, each with its request and its newest kit. */
export async function showSites(parts: KitParts, sites: readonly StoredSite[]): Promise<Site[]> {
  const { db, passphrase } = parts;
  const [project, view, kits] = [await readProject(db), await KitView.read(parts), await newestSiteKits(db)];
  const requests = await readRequests(db);
  return sites.map((site) => {
    const [kit, request] = [kits.get(site.id), requests.get(site.id)];
    return {
      ...site,
      properties: { ...site.properties },
      missing: [...missingProperties(project, site)],
      request: request === undefined ? null : showRequest(request, waitsFor(project, siteHolder(site), passphrase.isKnown)),
      kit: kit === undefined ? null : view.show(kit),
    };
  });
}

/** Shows one site. */
export async function showSite(parts: KitParts, site: StoredSite): Promise<Site> {
  const [shown] = await showSites(parts, [site]);
  if (shown === undefined) throw new TypeError("a site was not shown");
  return shown;
}

/** Labels of required properties that a site has not filled in. */
export function missingProperties({ siteProperties }: StoredProject, { properties }: Pick<StoredSite, "properties">): readonly string[] {
  return siteProperties.filter(({ key, isRequired }) => isRequired && (properties[key] ?? "") === "").map(({ label }) => label);
}
