import type { DashboardParts } from "./dashboard-parts.js";
import type { Implementation } from "./http/implement.js";
import { implementKits } from "./kits/implement-kits.js";
import { implementSiteKits } from "./kits/implement-site-kits.js";
import { implementSession } from "./people/implement-session.js";
import { implementProject } from "./project/implement-project.js";
import { implementSites } from "./project/implement-sites.js";

/** All areas of the API; each gives handlers for its routes of the table. */
export const areas: readonly ((parts: DashboardParts) => readonly Implementation[])[] = [
  implementSession,
  implementProject,
  implementSites,
  implementSiteKits,
  implementKits,
];
