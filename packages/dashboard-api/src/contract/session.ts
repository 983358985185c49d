import { z } from "zod";
import { defineRoute } from "./define-route.js";
import { institutionAddress, profileSchema, providerIdSchema } from "./me.js";
import { codeSchema, emailSchema, lineSchema, organizationSchema, passwordSchema, tokenSchema } from "./schemas.js";

/** Who is signed in here, and how one can. */
export const sessionSchema = z.object({
  /** `second-factor`: the password was right, the code is still to come. */
  state: z.enum(["signed-out", "second-factor", "signed-in"]),
  /** Goes as header `x-csrf-token` with every change; `null` for strangers. */
  csrfToken: z.string().nullable(),
  person: profileSchema.nullable(),
  /** Nobody has used the set-up link yet. */
  needsSetUp: z.boolean(),
  /** Institutions whose sign-in can be used: `POST /oidc/start`. */
  providers: z.array(z.object({ id: z.string(), title: z.string() })),
  /** Whether links go out by mail; otherwise a project admin passes them on. */
  hasMail: z.boolean(),
});

/** Who is signed in here, and how one can. */
export type Session = z.infer<typeof sessionSchema>;

export const getSession = defineRoute({
  id: "session.get",
  method: "GET",
  path: "/session",
  summary: "Says who is signed in and gives the CSRF token",
  access: "open",
  response: sessionSchema,
});

export const signIn = defineRoute({
  id: "session.signIn",
  method: "POST",
  path: "/session",
  summary: "Signs in by e-mail address and password",
  access: "open",
  body: z.strictObject({ email: emailSchema, password: passwordSchema }),
  response: sessionSchema,
});

export const giveSecondFactor = defineRoute({
  id: "session.secondFactor",
  method: "POST",
  path: "/session/second-factor",
  summary: "Completes a sign-in by a code of the app or a recovery code",
  access: "open",
  body: z.strictObject({ code: codeSchema }),
  response: sessionSchema,
});

export const signOut = defineRoute({
  id: "session.signOut",
  method: "DELETE",
  path: "/session",
  summary: "Ends the session",
  access: "open",
  response: "nothing",
});

export const setUp = defineRoute({
  id: "session.setUp",
  method: "POST",
  path: "/setup",
  summary: "Makes whoever has the one-time set-up link the first project admin",
  access: "open",
  body: z.strictObject({
    token: tokenSchema,
    name: lineSchema,
    email: emailSchema,
    organization: organizationSchema,
    password: passwordSchema,
  }),
  response: sessionSchema,
});

export const requestPasswordReset = defineRoute({
  id: "session.requestPasswordReset",
  method: "POST",
  path: "/password-reset",
  summary: "Sends a link for a new password, if the address is known; the answer is always the same",
  access: "open",
  body: z.strictObject({ email: emailSchema }),
  response: z.object({ message: z.string() }),
  status: 202,
});

export const completePasswordReset = defineRoute({
  id: "session.completePasswordReset",
  method: "POST",
  path: "/password-reset/complete",
  summary: "Sets a new password by the link and ends all sessions of the person",
  access: "open",
  body: z.strictObject({ token: tokenSchema, password: passwordSchema }),
  response: "nothing",
});

export const startOidc = defineRoute({
  id: "session.startOidc",
  method: "POST",
  path: "/oidc/start",
  summary: "Begins the sign-in of an institution, with an invitation's token where there is one",
  access: "open",
  body: z.strictObject({ provider: providerIdSchema, invitation: tokenSchema.optional() }),
  response: institutionAddress,
});

export const completeOidc = defineRoute({
  id: "session.completeOidc",
  method: "GET",
  path: "/oidc/callback",
  summary: "Where an institution's sign-in leads back to",
  access: "open",
  // Institutions say more beside it; what a client does not know it has to pass over (RFC 6749 4.1.2).
  query: z.looseObject({
    state: z.string().max(200).optional(),
    code: z.string().max(4000).optional(),
    error: z.string().max(200).optional(),
    error_description: z.string().max(2000).optional(),
    iss: z.string().max(2000).optional(),
    session_state: z.string().max(2000).optional(),
    scope: z.string().max(2000).optional(),
  }),
  response: { mediaType: "text/html" },
});

/** Routes about signing in and out. */
export const sessionRoutes = [
  getSession,
  signIn,
  giveSecondFactor,
  signOut,
  setUp,
  requestPasswordReset,
  completePasswordReset,
  startOidc,
  completeOidc,
] as const;
