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
  "project/locked": row(
    "user",
    "Another provisioning run is at work in the same workspace.",
    "Wait until it ends. If no such run exists, delete the lock file that the message names.",
    { isRetryable: true, grpc: grpcStatus.aborted, http: 409 },
  ),
  "project/state-invalid": row(
    "user",
    "The file in which the workspace keeps the project's certificates cannot be used.",
    "Restore state/cert.json from a backup. Without it, every kit of the project must be made anew in an empty workspace.",
  ),
  "project/role-changed": row(
    "user",
    "A participant has another role than in the certificate that it was given before.",
    "Give the participant its old role or a new name, or start with an empty workspace, which replaces every kit.",
  ),
  "project/root-differs": row(
    "user",
    "The project file asks for another lifetime of the root certificate than the existing one has.",
    "Set root_valid_days back, or start with an empty workspace, which replaces every kit.",
  ),
  "project/root-expired": row(
    "user",
    "The project's root certificate is outside its period of validity.",
    "Check this machine's clock. If the certificate has expired, start with an empty workspace, which replaces every kit.",
  ),
} as const;
