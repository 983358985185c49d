import type { IssuedKit } from "@flare-ts/dashboard-api/contract";
import { StatusPill, type Tone } from "../../components/status-pill.js";

const looks: Readonly<Record<IssuedKit["condition"], readonly [Tone, string]>> = {
  good: ["good", "good"],
  ending: ["warn", "ends soon"],
  ended: ["bad", "ended"],
  replaced: ["idle", "replaced"],
  revoking: ["warn", "revoked once the CA is unlocked"],
  revoked: ["bad", "revoked"],
};

/** What became of a kit's certificate. */
export function KitCondition({ condition }: Pick<IssuedKit, "condition">) {
  const [tone, text] = looks[condition];
  return <StatusPill tone={tone}>{text}</StatusPill>;
}
