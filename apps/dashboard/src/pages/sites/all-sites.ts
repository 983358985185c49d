import { listSites, type Site, type WorkingSite } from "@flare-ts/dashboard-api/contract";
import { useApiQuery } from "../../api/use-api-query.js";
import { usePerson } from "../../api/use-session.js";
import { useFederation } from "../../live/use-federation.js";

/** A site as the dashboard knows it, and as the server sees it; at least one of the two. */
export interface AnySite {
  readonly name: string;
  readonly organization: string;
  readonly registered: Site | undefined;
  readonly working: WorkingSite | undefined;
}

/**
 * All sites that one may see, by name. Leads and members see those that the server knows; admins also those that are registered
 * here and have never connected.
 */
export function useAllSites(): { readonly sites: readonly AnySite[]; readonly isLoading: boolean; readonly error: Error | null } {
  const { role } = usePerson();
  const isAdmin = role === "project_admin" || role === "org_admin";
  const registered = useApiQuery(listSites, {}, { isEnabled: isAdmin });
  const federation = useFederation();
  const byName = new Map<string, AnySite>();
  for (const site of registered.data?.sites ?? []) {
    byName.set(site.name, { name: site.name, organization: site.organization, registered: site, working: undefined });
  }
  for (const site of federation.data?.sites ?? []) {
    const known = byName.get(site.name);
    byName.set(site.name, {
      name: site.name,
      organization: known?.organization ?? site.organization,
      registered: known?.registered,
      working: site,
    });
  }
  return {
    sites: [...byName.values()].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })),
    isLoading: (isAdmin && registered.isPending) || federation.isPending,
    error: registered.error ?? federation.error,
  };
}
