import { z } from "zod";
import { defineRoute } from "./define-route.js";
import { personSchema } from "./person.js";
import { codeSchema, idParams, idSchema, lineSchema, passwordSchema, timeMsSchema } from "./schemas.js";

/** A person as they see themselves. */
export const profileSchema = personSchema.extend({
  hasPassword: z.boolean(),
  /** Codes that are left for a lost device. */
  recoveryCodesLeft: z.int(),
  /** Institutions whose sign-in leads to this account. */
  providers: z.array(z.string()),
});

/** A person as they see themselves. */
export type Profile = z.infer<typeof profileSchema>;

/** A session of one's own. */
export const ownSessionSchema = z.object({
  id: idSchema,
  isThisOne: z.boolean(),
  createdAtMs: timeMsSchema,
  lastSeenAtMs: timeMsSchema,
  /** When it ends at the latest. */
  endsAtMs: timeMsSchema,
  address: z.string(),
  /** What the browser says of itself. */
  userAgent: z.string(),
});

/** A session of one's own. */
export type OwnSession = z.infer<typeof ownSessionSchema>;

/** The id of an institution whose sign-in can be used here. */
export const providerIdSchema = z.string("must be the id of an institution").min(1, "must not be empty").max(63);

/** Where a browser goes next to sign in at an institution; it comes back by itself, within ten minutes. */
export const institutionAddress = z.object({ url: z.string() });

const codeBody = z.strictObject({ code: codeSchema });
const recoveryCodes = z.object({ recoveryCodes: z.array(z.string()) });

export const getMe = defineRoute({
  id: "me.get",
  method: "GET",
  path: "/me",
  summary: "Gives the own profile",
  access: "signed-in",
  response: profileSchema,
});

export const updateMe = defineRoute({
  id: "me.update",
  method: "PATCH",
  path: "/me",
  summary: "Changes the own name",
  access: "signed-in",
  body: z.strictObject({ name: lineSchema }),
  response: profileSchema,
});

export const changePassword = defineRoute({
  id: "me.changePassword",
  method: "POST",
  path: "/me/password",
  summary: "Sets a new password and ends all other sessions; the current one is asked where there is one",
  access: "signed-in",
  body: z.strictObject({ currentPassword: passwordSchema.optional(), newPassword: passwordSchema }),
  response: "nothing",
});

export const beginTotp = defineRoute({
  id: "me.beginTotp",
  method: "POST",
  path: "/me/totp",
  summary: "Makes a secret for the app that gives codes; it counts once a code of it was confirmed",
  access: "signed-in",
  body: z.strictObject({ password: passwordSchema.optional() }),
  response: z.object({ secret: z.string(), uri: z.string() }),
});

export const confirmTotp = defineRoute({
  id: "me.confirmTotp",
  method: "POST",
  path: "/me/totp/confirm",
  summary: "Turns the second factor on by its first code and gives the recovery codes, once",
  access: "signed-in",
  body: codeBody,
  response: recoveryCodes,
});

export const removeTotp = defineRoute({
  id: "me.removeTotp",
  method: "DELETE",
  path: "/me/totp",
  summary: "Turns the second factor off, by a code of it",
  access: "signed-in",
  body: codeBody,
  response: "nothing",
});

export const renewRecoveryCodes = defineRoute({
  id: "me.renewRecoveryCodes",
  method: "POST",
  path: "/me/recovery-codes",
  summary: "Gives new recovery codes in place of all earlier ones, by a code of the app",
  access: "signed-in",
  body: codeBody,
  response: recoveryCodes,
});

export const linkInstitution = defineRoute({
  id: "me.linkInstitution",
  method: "POST",
  path: "/me/institutions",
  summary: "Begins to make an institution's sign-in lead to one's account; the password is asked where there is one",
  access: "signed-in",
  body: z.strictObject({ provider: providerIdSchema, password: passwordSchema.optional() }),
  response: institutionAddress,
});

export const unlinkInstitution = defineRoute({
  id: "me.unlinkInstitution",
  method: "DELETE",
  path: "/me/institutions/:provider",
  summary: "Makes an institution's sign-in lead to one's account no more; the last way to sign in stays",
  access: "signed-in",
  params: z.strictObject({ provider: providerIdSchema }),
  response: profileSchema,
});

export const listMySessions = defineRoute({
  id: "me.sessions",
  method: "GET",
  path: "/me/sessions",
  summary: "Lists the own sessions",
  access: "signed-in",
  response: z.object({ sessions: z.array(ownSessionSchema) }),
});

export const endMySession = defineRoute({
  id: "me.endSession",
  method: "DELETE",
  path: "/me/sessions/:id",
  summary: "Ends one of the own sessions",
  access: "signed-in",
  params: idParams,
  response: "nothing",
});

/** Routes about oneself. */
export const meRoutes = [
  getMe,
  updateMe,
  changePassword,
  beginTotp,
  confirmTotp,
  removeTotp,
  renewRecoveryCodes,
  linkInstitution,
  unlinkInstitution,
  listMySessions,
  endMySession,
] as const;
