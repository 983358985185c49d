import { exitStatus, grpcStatus, row } from "./row.js";

/** Errors of jobs, and of the store that keeps them. */
export const jobErrors = {
  "job/invalid": row("user", "A job folder has mistakes.", "Correct the lines that the message names, then submit again."),
  "job/not-found": row("user", "There is no job with this id.", "List the jobs with `flare job list` and check the id.", {
    grpc: grpcStatus.notFound,
    http: 404,
  }),
  "job/id-taken": row(
    "user",
    "Another job was submitted under this id, or with this token.",
    "Submit it with another id or token, or without either: every submission then has an id of its own.",
    {
      grpc: grpcStatus.alreadyExists,
      http: 409,
    },
  ),
  "job/key-mismatch": row(
    "user",
    "The private key does not belong to the certificate that a job is signed with.",
    "Use certificate and key of one startup kit.",
  ),
  "job/signature-invalid": row(
    "user",
    "A signed job was changed after it was signed, or is not a signed job at all.",
    "Submit the job again from its folder.",
    { grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "job/signer-untrusted": row(
    "user",
    "The certificate that signed a job was not issued to an admin of this project.",
    "Submit the job with the startup kit of an admin of this project.",
    { grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "job/signer-expired": row(
    "user",
    "The certificate that signed a job is not valid at this time.",
    "Renew the startup kit, and check the clocks of both machines; then submit again.",
    { grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "job/signer-revoked": row(
    "user",
    "The project trusts the certificate that signed a job no more: it was revoked.",
    "Submit the job with a kit that is trusted; ask the project's administrator why this one is not.",
    { grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "job/wrong-project": row("user", "A job was signed for another project.", "Submit it with the startup kit of this project.", {
    grpc: grpcStatus.permissionDenied,
    http: 403,
  }),
  "job/manifest-invalid": row(
    "user",
    "The list of files in a signed job breaks a rule, for instance by a path that leaves the job.",
    "Submit the job again with the `flare` command; do not run a job that came with such a list.",
    { grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "job/file-missing": row(
    "server",
    "A file that the signed job lists is not in the store.",
    "Submit the job again; if it comes back, check the disk of the store.",
    { grpc: grpcStatus.notFound, http: 404 },
  ),
  "job/file-mismatch": row(
    "server",
    "A file of a job does not have the content that was signed.",
    "Do not run the job; check the disk of the store, then submit the job again.",
    { grpc: grpcStatus.dataLoss },
  ),
  "store/unusable": row(
    "server",
    "The database of the store cannot be used: it is damaged, locked, not a database, or written by a newer version.",
    "Check the disk and the version; start the version that wrote it, or restore the file from a backup.",
  ),
  "store/full": row("server", "The store cannot write because the disk is full.", "Free space on the disk; the work goes on by itself.", {
    isRetryable: true,
    grpc: grpcStatus.resourceExhausted,
    http: 507,
  }),
  "job/files-missing": row(
    "user",
    "A job was submitted without all of its files.",
    "Submit again; what is there already is not sent twice.",
    { isRetryable: true },
  ),
  "job/not-yours": row(
    "user",
    "A job was submitted by another person than signed it.",
    "Submit with the kit that the job is signed with.",
    {
      grpc: grpcStatus.permissionDenied,
      http: 403,
    },
  ),
  "job/replayed": row(
    "server",
    "A signed job was presented again, or under another id.",
    "Submit the job anew; every submission is signed by itself.",
    {
      grpc: grpcStatus.permissionDenied,
      http: 403,
    },
  ),
  "job/wrong-study": row(
    "user",
    "A job is meant for one study and was submitted to another.",
    "Submit it with `--study` and the name that its meta.json has, or take `study` out of meta.json.",
    { grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "job/outside-study": row(
    "user",
    "A job names a site that is not in the study that it was submitted to.",
    "Take the site out of deploy_map and mandatory_clients, or ask the study's administrator to add it.",
    { grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "job/wrong-app": row(
    "server",
    "A site was told to run an app that the job's deploy_map does not give it.",
    "Do not trust that server before it is known why; correct the job's deploy_map if it is not what was meant.",
    { grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "job/resources-lacking": row(
    "user",
    "A job asks a site for more GPUs, memory of a GPU, CPUs or memory than the site offers to jobs.",
    "Ask for less in `resource_spec` of the job's `meta.json`, or leave the site out; `flare system resources` says what each site offers.",
  ),
  "job/not-over": row("user", "A job that waits or runs cannot be deleted.", "Abort it first with `flare job abort`, then delete it.", {
    grpc: grpcStatus.failedPrecondition,
    http: 409,
  }),
  "job/not-done": row("user", "A job has no result as long as it runs.", "Wait for its end with `flare job monitor`.", {
    grpc: grpcStatus.failedPrecondition,
    http: 409,
  }),
  "job/receipt-invalid": row(
    "server",
    "A receipt of a round does not verify: it was changed, one before it is missing, or its signer is not trusted.",
    "Do not rely on the rounds from this one on; keep the output, and ask the project's administrator what happened at the server.",
    { exit: exitStatus.error, grpc: grpcStatus.dataLoss, http: 502 },
  ),
} as const;
