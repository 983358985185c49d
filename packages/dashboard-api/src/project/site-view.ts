import type { Site } from "../contract/sites.js";
import { waitsFor } from "../kits/answer-requests.js";
import type { KitParts } from "../kits/kit-parts.js";
import { KitView, newestSiteKits } from "../kits/kit-view.js";
import { readProject, type StoredProject } from "./project-store.js";
import type { StoredSite } from "./site-store.js";

/** Shows sites as the contract says, each with its request and its newest kit. */
export async function showSites(parts: KitParts, sites: readonly StoredSite[]): Promise<Site[]> {
  const { db, passphrase } = parts;
  const [project, view, kits] = [await readProject(db), await KitView.read(parts), await newestSiteKits(db)];
  const requests = await db
    .selectFrom("site_requests")
    .select(["site_id", "request_id", "public_key_sha256", "uploaded_at_ms", "uploaded_by", "problem"])
    .execute();
  const requestOf = new Map(requests.map((row) => [row.site_id, row]));
  return sites.map((site) => {
    const [kit, request] = [kits.get(site.id), requestOf.get(site.id)];
    return {
      ...site,
      properties: { ...site.properties },
      missing: [...missingProperties(project, site)],
      request:
        request === undefined
          ? null
          : {
              requestId: request.request_id,
              publicKeySha256: request.public_key_sha256,
              uploadedAtMs: request.uploaded_at_ms,
              uploadedBy: request.uploaded_by,
              waitsFor: waitsFor(project, site, passphrase.isKnown),
              problem: request.problem,
            },
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
