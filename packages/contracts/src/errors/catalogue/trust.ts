import { exitStatus, grpcStatus, row } from "./row.js";

const refused = { exit: exitStatus.connection, grpc: grpcStatus.permissionDenied, http: 403 } as const;

/** Errors of the area `trust`: which roots a project has, and whom it trusts no more. */
export const trustErrors = {
  "trust/list-invalid": row(
    "user",
    "What was given is not a trust list: it cannot be read, or it names roots that are none.",
    "Use the file `state/trust.json` of the project's workspace as it is.",
  ),
  "trust/wrong-project": row("user", "The trust list is that of another project.", "Use the trust list of this project.", refused),
  "trust/signature-invalid": row(
    "user",
    "No root that is trusted here has signed the trust list.",
    "Use the file `state/trust.json` of the project's workspace as it is; if nobody made a mistake, somebody tried to forge one.",
    refused,
  ),
  "trust/outdated": row(
    "user",
    "A newer trust list, or another one with the same number, is in force.",
    "Make a new list on the machine that holds the project's root key, from its latest state.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "trust/root-invalid": row(
    "site",
    "The file of root certificates holds none that can be used.",
    "Ask the project's admin for this participant's kit again, and unpack it into an empty folder.",
  ),
  "trust/certificate-unreadable": row(
    "site",
    "A file or message does not hold certificates in PEM, or too many.",
    "Use the certificates of the startup kit as they are.",
  ),
} as const;
