import { Anchor } from "@mantine/core";
import { IconBuildingHospital } from "@tabler/icons-react";
import { Link } from "wouter";
import { EmptyState } from "../../components/empty-state.js";
import { Section } from "../../components/section.js";
import type { AnySite } from "../sites/all-sites.js";
import classes from "./site-map.module.css";

/** Every site as a tile that says by colour and word how it is; those in trouble first. */
export function SiteMap({ sites }: { readonly sites: readonly AnySite[] }) {
  const tiles = sites.map((site) => ({ site, state: stateOf(site) })).toSorted((a, b) => rank(a.state) - rank(b.state));
  return (
    <Section
      title="Sites"
      actions={
        <Anchor component={Link} href="/sites" size="sm">
          All sites
        </Anchor>
      }
    >
      {sites.length === 0 ? (
        <EmptyState icon={<IconBuildingHospital size={24} />} title="No site yet">
          Sites appear here once they are added.
        </EmptyState>
      ) : (
        <ul className={classes["map"]}>
          {tiles.map(({ site, state }) => (
            <li key={site.name}>
              <Link href={`/sites/${site.name}`} className={`${classes["tile"]} ${classes[state]}`} title={`${site.name}, ${words[state]}`}>
                <span className={classes["name"]}>{site.name}</span>
                <span className={classes["state"]}>{words[state]}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

type TileState = "error" | "away" | "disabled" | "waits" | "refused" | "working" | "ready" | "unseen";

const words: Readonly<Record<TileState, string>> = {
  error: "had an error",
  away: "disconnected",
  disabled: "disabled",
  waits: "waits for approval",
  refused: "rejected",
  working: "working",
  ready: "connected",
  unseen: "not seen yet",
};

/** How long an error of a site is news. */
const errorIsNewsMs = 600_000;

function stateOf({ registered, working }: AnySite): TileState {
  if (working !== undefined) {
    if (working.state === "disabled") return "disabled";
    if (working.state === "disconnected") return "away";
    if (working.lastError !== null && Date.now() - working.lastError.atMs < errorIsNewsMs) return "error";
    return working.jobs.length > 0 ? "working" : "ready";
  }
  return registered?.state === "pending" ? "waits" : registered?.state === "rejected" ? "refused" : "unseen";
}

function rank(state: TileState): number {
  return { error: 0, away: 1, waits: 2, working: 3, ready: 4, unseen: 5, disabled: 6, refused: 7 }[state];
}
