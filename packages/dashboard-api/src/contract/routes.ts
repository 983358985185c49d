import { auditRoutes } from "./audit.js";
import type { RouteDefinition } from "./define-route.js";
import { federationRoutes } from "./federation.js";
import { jobRoutes } from "./jobs.js";
import { kitRoutes } from "./kits.js";
import { meRoutes } from "./me.js";
import { peopleRoutes } from "./people.js";
import { projectRoutes } from "./project.js";
import { renewalRoutes } from "./renewals.js";
import { sessionRoutes } from "./session.js";
import { siteRoutes } from "./sites.js";

/** The one table of routes: registration, OpenAPI document, client and the test of roles come from it. */
export const allRoutes: readonly RouteDefinition[] = [
  ...sessionRoutes,
  ...meRoutes,
  ...peopleRoutes,
  ...projectRoutes,
  ...siteRoutes,
  ...kitRoutes,
  ...renewalRoutes,
  ...auditRoutes,
  ...federationRoutes,
  ...jobRoutes,
];
