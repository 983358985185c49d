import { grpcStatus, row } from "./row.js";

/** Errors of the area `project`. */
export const projectErrors = {
  "project/invalid": row("user", "A project file has mistakes.", "Correct the lines that the message names, then provision again."),
  "project/not-supported": row(
    "user",
    "A project file asks for something that FLARE has and this version does not support yet.",
    "Remove or change the lines that the message names.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "project/plugin-failed": row(
    "user",
    "A builder or packager of the project's own cannot be loaded, or failed.",
    "Correct the module that the message names. A builder's failure leaves no kits; after a packager's they stay, complete.",
  ),
  "project/locked": row(
    "user",
    "Another command is at work in the same workspace.",
    "Wait until it ends. If no such command runs, delete the lock file that the message names.",
    { isRetryable: true, grpc: grpcStatus.aborted, http: 409 },
  ),
  "project/state-invalid": row(
    "user",
    "The file in which the workspace keeps the project's certificates cannot be used.",
    "Restore the folder state from a backup. Without it, every kit of the project must be made anew in an empty workspace.",
  ),
  "project/role-changed": row(
    "user",
    "A participant has another role than in the certificate that it was given before.",
    "Run flare cert revoke for it and provision again: its new kit has the new role, and the old one counts no more. Or give it its old role, or a new name.",
  ),
  "project/root-differs": row(
    "user",
    "The project file asks for another lifetime of the root certificate than the existing one has.",
    "Leave root_valid_days out, or set it back: a root lasts as long as it was made for, and so does the one that flare cert rollover makes.",
  ),
  "project/root-expired": row(
    "user",
    "The certificate of the project's root, or of its authority below one, is outside its period of validity.",
    "Check this machine's clock. If the certificate has expired, run flare cert rollover start, provision again, and hand out the kits.",
  ),
  "project/not-provisioned": row(
    "user",
    "The workspace holds no such project, or no CA for it yet.",
    "Give the workspace and the project's name, or run flare provision first.",
  ),
  "project/passphrase-missing": row(
    "user",
    "The passphrase of the CA key is needed, and was not given.",
    "Set FLARE_CA_PASSPHRASE, give --ca-passphrase-file, or run the command in a terminal, where it asks. --clear-ca-key keeps keys without one.",
  ),
  "project/passphrase-wrong": row(
    "user",
    "The passphrase does not open the private keys of the workspace.",
    "Give the passphrase that the workspace was made with.",
  ),
  "project/passphrase-too-short": row(
    "user",
    "The passphrase for the CA key is too short.",
    "Choose a longer one; several words are good.",
  ),
  "project/no-authority": row(
    "user",
    "The project has no key that certificates can be issued with: its root's is elsewhere, and no certificate came from there yet.",
    "Have the request signed, then run flare cert ca import with the certificate and those above it.",
  ),
  "project/external-ca-invalid": row(
    "user",
    "The certificates of an external CA cannot be used for the project.",
    "Give an authority's certificate with those above it up to the root, in PEM, and the key that belongs to the first.",
  ),
  "project/path-length": row(
    "user",
    "The certificates of an external CA allow no authority below that of the project, and `renewal: server` needs one.",
    "Write `renewal: ca_holder` or `renewal: none` under `certificates` of project.yml, or have the certificate of the authority made with a path length of 1 or more, and of those above it with more.",
  ),
  "project/unknown-participant": row(
    "user",
    "The workspace has given no certificate to a participant of that name.",
    "Take one of the names that flare cert status lists.",
    { grpc: grpcStatus.notFound, http: 404 },
  ),
  "project/rollover-under-way": row(
    "user",
    "One root is taking over from another already.",
    "Run flare cert rollover finish first, once everybody has the new root.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "project/no-rollover": row("user", "No root is taking over from another.", "Run flare cert rollover start first.", {
    grpc: grpcStatus.failedPrecondition,
    http: 409,
  }),
  "project/no-trust-list": row(
    "user",
    "The workspace has no trust list, because nobody was revoked and no root was replaced.",
    "Nothing has to be pushed. flare cert revoke and flare cert rollover start make a list.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "project/trust-list-full": row(
    "user",
    "The trust list has no room for another revocation: participants refuse one that is longer.",
    "Replace the root: flare cert rollover start, provision again, hand out the kits, flare cert rollover finish. What was revoked below the old root then needs no room.",
    { grpc: grpcStatus.resourceExhausted, http: 409 },
  ),
  "project/rollover-not-done": row(
    "user",
    "Certificates in use come from the root that would not be trusted any more.",
    "Sign what waits (flare cert renewals) and provision again; or hand out the new kits, that of the server last, and give this command an admin's new kit. --force goes on without them.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
} as const;
