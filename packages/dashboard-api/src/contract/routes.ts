import type { RouteDefinition } from "./define-route.js";
import { getSession, signIn, signOut } from "./session.js";

/** The one table of routes: registration, OpenAPI document, client and the test of roles come from it. */
export const allRoutes: readonly RouteDefinition[] = [getSession, signIn, signOut];
