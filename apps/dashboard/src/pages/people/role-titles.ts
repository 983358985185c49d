import { type Role, roles } from "@flare-ts/dashboard-api/contract";

const titles: Readonly<Record<Role, string>> = {
  project_admin: "Project admin",
  org_admin: "Organisation admin",
  lead: "Lead",
  member: "Member",
};

/** What each role may do, in a line. */
export const roleTasks: Readonly<Record<Role, string>> = {
  project_admin: "runs the project: invites, approves, issues and revokes",
  org_admin: "brings the sites of their organisation",
  lead: "submits jobs and sees their results",
  member: "sees the federation and its jobs",
};

/** A role as people say it. */
export function roleTitle(role: Role): string {
  return titles[role];
}

/** Roles for a field to choose from. */
export const roleChoices: readonly { readonly value: Role; readonly label: string }[] = roles.map((role) => ({
  value: role,
  label: titles[role],
}));
