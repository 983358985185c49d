/** What a person may be in a project; the roles are FLARE's. */
export const roles = ["project_admin", "org_admin", "lead", "member"] as const;

/** A person's role. */
export type Role = (typeof roles)[number];

/**
 * Who may call a route: anybody; whoever is signed in, even if not approved yet; or approved people of the listed roles.
 */
export type Access = "open" | "signed-in" | readonly Role[];
