import type { SiteState } from "@flare-ts/dashboard-api/contract";
import { StatusPill, type Tone } from "../../components/status-pill.js";

const looks: Readonly<Record<SiteState, readonly [Tone, string]>> = {
  pending: ["warn", "waits for approval"],
  approved: ["good", "approved"],
  rejected: ["bad", "rejected"],
};

/** Where a site stands with the project admin. */
export function SiteApproval({ state }: { readonly state: SiteState }) {
  const [tone, text] = looks[state];
  return <StatusPill tone={tone}>{text}</StatusPill>;
}
