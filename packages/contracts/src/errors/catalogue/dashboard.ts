import { exitStatus, grpcStatus, row } from "./row.js";

const signedOut = { grpc: grpcStatus.unauthenticated, http: 401 } as const;
const forbidden = { grpc: grpcStatus.permissionDenied, http: 403 } as const;
const slowDown = { grpc: grpcStatus.resourceExhausted, http: 429, isRetryable: true } as const;

/** Errors of the area `dashboard`: requests to it, people and their sessions. */
export const dashboardErrors = {
  "dashboard/invalid-request": row("user", "A request to the dashboard has mistakes.", "Correct what the message names."),
  "dashboard/cannot-listen": row(
    "user",
    "The dashboard cannot listen at its address.",
    "EADDRINUSE: another process holds the port; stop it, or choose another with --port. EADDRNOTAVAIL: --host is no address of this machine. EACCES: ports below 1024 are root's; take another, and a proxy in front.",
    { exit: exitStatus.connection },
  ),
  "dashboard/media-type": row(
    "user",
    "A request carries a kind of content that is not read there.",
    "Send JSON, or what the route asks for.",
    {
      http: 415,
    },
  ),
  "dashboard/too-large": row(
    "user",
    "A request carries more than is read there.",
    "Send less, or split it; docs/limits.md gives the limits.",
    {
      grpc: grpcStatus.resourceExhausted,
      http: 413,
    },
  ),
  "dashboard/route-unknown": row(
    "user",
    "The dashboard has nothing at this address.",
    "Check the address; /api/v1/openapi.json lists all.",
    {
      grpc: grpcStatus.notFound,
      http: 404,
    },
  ),
  "dashboard/not-found": row("user", "What was asked for does not exist, or is not yours to see.", "Load the list again.", {
    grpc: grpcStatus.notFound,
    http: 404,
  }),
  "dashboard/conflict": row("user", "The change does not fit what is there by now.", "Load the page again and look before changing.", {
    grpc: grpcStatus.failedPrecondition,
    http: 409,
  }),
  "dashboard/changed-meanwhile": row(
    "user",
    "Somebody else changed it since it was read.",
    "Read it again, and make the change to what is there now.",
    { grpc: grpcStatus.aborted, http: 409 },
  ),
  "dashboard/not-signed-in": row("user", "This needs somebody who is signed in.", "Sign in; sessions end after a while.", signedOut),
  "dashboard/not-allowed": row("user", "Your role does not permit this.", "Ask a project admin.", forbidden),
  "dashboard/waits-for-approval": row("user", "Your account waits for approval.", "Wait until a project admin has approved it.", forbidden),
  "dashboard/csrf": row(
    "user",
    "A change came without the proof that this dashboard's own page sent it.",
    "Load the page again; a program sends the token of GET /api/v1/session as x-csrf-token.",
    forbidden,
  ),
  "dashboard/wrong-credentials": row(
    "user",
    "E-mail address and password do not belong together.",
    "Check both, or reset the password; after several failures signing in waits longer each time.",
    signedOut,
  ),
  "dashboard/wrong-password": row("user", "The current password is not right.", "Enter the password of this account once more.", forbidden),
  "dashboard/wrong-code": row(
    "user",
    "The code of the second factor is wrong or was used already.",
    "Enter the newest code of the app, or a recovery code; check the clock of the device.",
    forbidden,
  ),
  "dashboard/too-many-attempts": row("user", "Too many attempts failed.", "Wait as long as the message says.", slowDown),
  "dashboard/too-many-requests": row("user", "Too many requests came from one address.", "Wait a moment.", slowDown),
  "dashboard/busy": row("server", "The dashboard has more to do than it can take on.", "Try again in a moment.", {
    isRetryable: true,
  }),
  "dashboard/link-unusable": row("user", "The link was used, has expired, was withdrawn, or never existed.", "Ask for a new one.", {
    grpc: grpcStatus.notFound,
    http: 410,
  }),
  "dashboard/weak-password": row(
    "user",
    "The password is easy to guess.",
    "Choose at least 12 characters that are not a common password or your name.",
  ),
  "dashboard/last-admin": row("user", "The change would leave the project without an admin.", "Make somebody else project admin first.", {
    grpc: grpcStatus.failedPrecondition,
    http: 409,
  }),
  "dashboard/sign-in-elsewhere": row(
    "user",
    "The institution's sign-in did not lead to an account here.",
    "If you have an account, sign in as before and link the institution on your profile; else ask a project admin for an invitation.",
    forbidden,
  ),
  "dashboard/mail-failed": row(
    "server",
    "The mail server did not take a letter.",
    "Check the address and the account of the mail server.",
    {
      isRetryable: true,
    },
  ),
  "dashboard/not-configured": row("user", "This dashboard is not set up for what was asked.", "Ask whoever runs the dashboard.", {
    grpc: grpcStatus.failedPrecondition,
    http: 409,
  }),
  "dashboard/project-draft": row("user", "The project has no CA yet.", "A project admin fills in the project and freezes it.", {
    grpc: grpcStatus.failedPrecondition,
    http: 409,
  }),
  "dashboard/project-elsewhere": row(
    "user",
    "The dashboard was started with the kit of a federation that exists already.",
    "Use `flare provision` and `flare cert` where that federation's CA is; a dashboard without --kit has a project of its own.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "dashboard/project-frozen": row(
    "user",
    "The project is frozen, and what was asked for is only possible before that.",
    "Leave it as it is; another project needs another dashboard.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "dashboard/ca-locked": row(
    "user",
    "The CA's key is sealed, and its passphrase was not given since the dashboard started.",
    "A project admin unlocks the CA on the page of the project.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "dashboard/archive-gone": row(
    "user",
    "The archive of a kit was downloaded already, or nobody came for it in time.",
    "Issue the kit again; the earlier one is revoked.",
    { grpc: grpcStatus.notFound, http: 410 },
  ),
  "dashboard/federation-unreachable": row(
    "server",
    "The dashboard does not reach the project's server.",
    "Start the server with its kit, and check that this machine reaches its address; the dashboard connects by itself.",
    { isRetryable: true, grpc: grpcStatus.unavailable, http: 409 },
  ),
  "dashboard/invalid-settings": row(
    "user",
    "The dashboard cannot start with these settings.",
    "Correct the setting that the message names.",
  ),
  "dashboard/already-running": row(
    "user",
    "Another dashboard works on the same data folder or database.",
    "Stop it first, or give this one its own --data and DATABASE_URL; the other one is undisturbed by this attempt.",
    { grpc: grpcStatus.alreadyExists, http: 409 },
  ),
  "dashboard/database-unusable": row(
    "server",
    "The dashboard's database cannot be used.",
    "Check that it runs, and the address and rights in DATABASE_URL.",
  ),
} as const;
