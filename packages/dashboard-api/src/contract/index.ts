export { type ApiClient, type ApiClientInit, type CallInput, type CallOutput, createApiClient, routeUrl } from "./api-client.js";
export { ApiError, type ApiProblem, type ErrorAnswer } from "./api-error.js";
export { type AuditEntry, auditEntrySchema, exportAudit, listAudit } from "./audit.js";
export { apiPrefix, type Checked, defineRoute, isRaw, type RawContent, type RouteDefinition, type Written } from "./define-route.js";
export {
  beginTotp,
  changePassword,
  confirmTotp,
  endMySession,
  getMe,
  listMySessions,
  type OwnSession,
  ownSessionSchema,
  type Profile,
  profileSchema,
  removeTotp,
  renewRecoveryCodes,
  updateMe,
} from "./me.js";
export {
  type Invitation,
  invitationSchema,
  invite,
  listInvitations,
  listPeople,
  readInvitation,
  removePerson,
  removePersonSecondFactor,
  resendInvitation,
  resetPersonPassword,
  revokeInvitation,
  signUp,
  updatePerson,
} from "./people.js";
export { type Person, type PersonState, personSchema, personStates } from "./person.js";
export { type Access, type Role, roles } from "./roles.js";
export { allRoutes } from "./routes.js";
export {
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
export {
  completeOidc,
  completePasswordReset,
  getSession,
  giveSecondFactor,
  requestPasswordReset,
  type Session,
  sessionSchema,
  setUp,
  signIn,
  signOut,
  startOidc,
} from "./session.js";
