import type { RouteDefinition } from "./define-route.js";
import { kitRoutes } from "./kits.js";
import { projectRoutes } from "./project.js";
import { getSession, signIn, signOut } from "./session.js";
import { siteRoutes } from "./sites.js";

/** The one table of routes: registration, OpenAPI document, client and the test of roles come from it. */
export const allRoutes: readonly RouteDefinition[] = [getSession, signIn, signOut, ...projectRoutes, ...siteRoutes, ...kitRoutes];
