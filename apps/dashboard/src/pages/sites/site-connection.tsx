import type { WorkingSite } from "@flare-ts/dashboard-api/contract";
import { StatusPill } from "../../components/status-pill.js";

/** Whether a site is connected; one that the server has not seen since it started was never there. */
export function SiteConnection({ site }: { readonly site: WorkingSite | undefined }) {
  if (site === undefined) return <StatusPill tone="idle">not seen yet</StatusPill>;
  if (site.state === "disabled")
    return (
      <StatusPill tone="warn" title={site.reason}>
        disabled
      </StatusPill>
    );
  if (site.state === "disconnected") return <StatusPill tone="bad">disconnected</StatusPill>;
  return site.jobs.length > 0 ? <StatusPill tone="live">working</StatusPill> : <StatusPill tone="good">connected</StatusPill>;
}
