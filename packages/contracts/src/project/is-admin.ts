import { adminNameSchema } from "../ids/names.js";
import { adminRoles } from "./project-schema.js";

/** Roles that a certificate gives to processes. */
export const processRoles = ["server", "client", "relay"] as const;

/**
 * Whether a certificate of this name and role is an admin's: one of FLARE's roles, or a role of the project's own with the
 * e-mail address that admins are named by.
 */
export function isAdmin(name: string, role: string): boolean {
  if ((adminRoles as readonly string[]).includes(role)) return true;
  if ((processRoles as readonly string[]).includes(role)) return false;
  return /^[A-Za-z0-9_]+$/.test(role) && adminNameSchema.safeParse(name).success;
}
