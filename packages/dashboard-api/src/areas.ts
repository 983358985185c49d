import type { DashboardParts } from "./dashboard-parts.js";
import type { Implementation } from "./http/implement.js";
import { implementSession } from "./people/implement-session.js";

/** All areas of the API; each gives handlers for its routes of the table. */
export const areas: readonly ((parts: DashboardParts) => readonly Implementation[])[] = [implementSession];
