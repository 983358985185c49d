import type { IssuedKit } from "@flare-ts/dashboard-api/contract";
import { Fact, Facts } from "../../components/facts.js";
import { formatDay, formatMoment } from "../../components/format.js";
import { KitCondition } from "./kit-condition.js";

/** What is recorded of a kit. */
export function KitFacts({ kit }: { readonly kit: IssuedKit }) {
  return (
    <Facts>
      <Fact name="Certificate">
        <KitCondition condition={kit.condition} />
      </Fact>
      <Fact name="Good until">{formatDay(kit.validToMs)}</Fact>
      <Fact name="Key">{kit.source === "made" ? "made by the dashboard" : "made by the participant, never left it"}</Fact>
      <Fact name="Issued">{`${formatMoment(kit.issuedAtMs)} by ${kit.issuedBy}`}</Fact>
      <Fact name="Serial">
        <span className="mono">{kit.serial}</span>
      </Fact>
      <Fact name="Handed out">{kit.delivery === null ? "not yet" : `${formatMoment(kit.delivery.atMs)} to ${kit.delivery.to}`}</Fact>
      <Fact name="Revoked">
        {kit.revocation === null ? "" : `${formatMoment(kit.revocation.atMs)} by ${kit.revocation.by}: ${kit.revocation.reason}`}
      </Fact>
      <Fact name="Open link">{kit.link === null ? "" : `by ${kit.link.by}, until ${formatMoment(kit.link.expiresAtMs)}`}</Fact>
    </Facts>
  );
}
