import { auditRoutes } from "./audit.js";
import type { RouteDefinition } from "./define-route.js";
import { meRoutes } from "./me.js";
import { peopleRoutes } from "./people.js";
import { sessionRoutes } from "./session.js";

/** The one table of routes: registration, OpenAPI document, client and the test of roles come from it. */
export const allRoutes: readonly RouteDefinition[] = [...sessionRoutes, ...meRoutes, ...peopleRoutes, ...auditRoutes];
