import type { PersonState as State } from "@flare-ts/dashboard-api/contract";
import { StatusPill, type Tone } from "../../components/status-pill.js";

const looks: Readonly<Record<State, readonly [Tone, string]>> = {
  pending: ["warn", "waits for approval"],
  approved: ["good", "approved"],
  rejected: ["bad", "rejected"],
  disabled: ["idle", "disabled"],
};

/** Where a person stands. */
export function PersonState({ state }: { readonly state: State }) {
  const [tone, text] = looks[state];
  return <StatusPill tone={tone}>{text}</StatusPill>;
}
