import { z } from "zod";
import { defineRoute } from "./define-route.js";
import { personSchema } from "./person.js";
import {
  emailSchema,
  idParams,
  idSchema,
  lineSchema,
  organizationSchema,
  passwordSchema,
  roleSchema,
  timeMsSchema,
  tokenSchema,
} from "./schemas.js";
import { sessionSchema } from "./session.js";

/** An invitation and what became of it. */
export const invitationSchema = z.object({
  id: idSchema,
  /** `null`: whoever has the link may sign up. */
  email: z.string().nullable(),
  role: roleSchema,
  organization: z.string(),
  state: z.enum(["open", "used", "expired", "revoked"]),
  approvesAtOnce: z.boolean(),
  /** Name of the person who invited. */
  invitedBy: z.string(),
  /** When its newest link was made. */
  createdAtMs: timeMsSchema,
  expiresAtMs: timeMsSchema,
});

/** An invitation and what became of it. */
export type Invitation = z.infer<typeof invitationSchema>;

const sentInvitation = z.object({
  invitation: invitationSchema,
  /** To pass on by hand; `null` when it went out by mail. It is shown this once. */
  link: z.string().nullable(),
  /** Why it did not go out by mail, where it should have. */
  mailProblem: z.string().nullable(),
});

const oneLink = z.object({
  /** To pass on by hand; `null` when it went out by mail. */
  link: z.string().nullable(),
  mailProblem: z.string().nullable(),
});

export const listPeople = defineRoute({
  id: "people.list",
  method: "GET",
  path: "/people",
  summary: "Lists people; org admins see those of their own organisation",
  access: ["project_admin", "org_admin"],
  scope: "own-org",
  response: z.object({ people: z.array(personSchema) }),
});

export const updatePerson = defineRoute({
  id: "people.update",
  method: "PATCH",
  path: "/people/:id",
  summary: "Approves, rejects, disables or enables a person, or changes role, organisation and name",
  access: ["project_admin"],
  params: idParams,
  body: z.strictObject({
    decision: z.enum(["approve", "reject", "disable", "enable"]).optional(),
    role: roleSchema.optional(),
    organization: organizationSchema.optional(),
    name: lineSchema.optional(),
  }),
  response: personSchema,
});

export const removePerson = defineRoute({
  id: "people.remove",
  method: "DELETE",
  path: "/people/:id",
  summary: "Removes a person's account",
  access: ["project_admin"],
  params: idParams,
  response: "nothing",
});

export const resetPersonPassword = defineRoute({
  id: "people.resetPassword",
  method: "POST",
  path: "/people/:id/password-reset",
  summary: "Makes a link by which a person sets a new password; by mail, or to be passed on",
  access: ["project_admin"],
  params: idParams,
  response: oneLink,
});

export const removePersonSecondFactor = defineRoute({
  id: "people.removeSecondFactor",
  method: "DELETE",
  path: "/people/:id/second-factor",
  summary: "Turns off the second factor of a person who lost device and recovery codes",
  access: ["project_admin"],
  params: idParams,
  response: "nothing",
});

export const listInvitations = defineRoute({
  id: "invitations.list",
  method: "GET",
  path: "/invitations",
  summary: "Lists invitations",
  access: ["project_admin"],
  response: z.object({ invitations: z.array(invitationSchema) }),
});

export const invite = defineRoute({
  id: "invitations.create",
  method: "POST",
  path: "/invitations",
  summary: "Invites a person by mail, or by a link to be passed on",
  access: ["project_admin"],
  body: z.strictObject({
    email: emailSchema.optional(),
    role: roleSchema,
    organization: organizationSchema,
    /** Mail needs an address and a dashboard that is set up for it. @default mail where both are there */
    delivery: z.enum(["mail", "link"]).optional(),
    expiresInHours: z.int().min(1).max(720).default(168),
    approvesAtOnce: z.boolean().default(false),
  }),
  response: sentInvitation,
  status: 201,
});

export const resendInvitation = defineRoute({
  id: "invitations.resend",
  method: "POST",
  path: "/invitations/:id/resend",
  summary: "Makes a new link of an invitation; the earlier one stops working",
  access: ["project_admin"],
  params: idParams,
  response: sentInvitation,
});

export const revokeInvitation = defineRoute({
  id: "invitations.revoke",
  method: "DELETE",
  path: "/invitations/:id",
  summary: "Withdraws an invitation",
  access: ["project_admin"],
  params: idParams,
  response: "nothing",
});

export const readInvitation = defineRoute({
  id: "invitations.read",
  method: "POST",
  path: "/invitations/read",
  summary: "Shows an invitation to whoever has its link; it stays good",
  access: "open",
  body: z.strictObject({ token: tokenSchema }),
  response: invitationSchema.pick({ email: true, role: true, organization: true, invitedBy: true, expiresAtMs: true }),
});

export const signUp = defineRoute({
  id: "invitations.signUp",
  method: "POST",
  path: "/sign-up",
  summary: "Makes an account by an invitation and signs in; a project admin approves it",
  access: "open",
  body: z.strictObject({ token: tokenSchema, name: lineSchema, email: emailSchema.optional(), password: passwordSchema }),
  response: sessionSchema,
});

/** Routes about people and invitations. */
export const peopleRoutes = [
  listPeople,
  updatePerson,
  removePerson,
  resetPersonPassword,
  removePersonSecondFactor,
  listInvitations,
  invite,
  resendInvitation,
  revokeInvitation,
  readInvitation,
  signUp,
] as const;
