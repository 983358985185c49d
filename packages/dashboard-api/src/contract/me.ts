import { z } from "zod";
import { defineRoute } from "./define-route.js";
import { personSchema } from "./person.js";
import { idParams, idSchema, lineSchema, passwordSchema, timeMsSchema } from "./schemas.js";

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

const codeBody = z.strictObject({ code: z.string("must be a code").trim().min(6).max(32) });
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
  listMySessions,
  endMySession,
] as const;
