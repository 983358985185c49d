import { exitStatus, grpcStatus, row } from "./row.js";

/** Errors of the area `poc` and of the command line itself. */
export const pocErrors = {
  "cli/no-startup-kit": row(
    "user",
    "A command that talks to a server was given no admin's startup kit.",
    "Give --startup-kit DIR, set FLARE_STARTUP_KIT_DIR, or run flare poc prepare.",
    { exit: exitStatus.invalidArguments },
  ),
  "cli/output-exists": row(
    "user",
    "The file or folder that a command would write is already there.",
    "Choose another place, or remove it; flare job download replaces it with --force.",
    { grpc: grpcStatus.alreadyExists, http: 409 },
  ),
  "cli/not-confirmed": row(
    "user",
    "A command that cannot be taken back was not confirmed.",
    "Answer y; where nobody can be asked, add the option that the message names.",
    { exit: exitStatus.invalidArguments, grpc: grpcStatus.failedPrecondition },
  ),
  "cli/console-line": row(
    "user",
    "A line that was read from a pipe or a file has failed in the console; what comes after it was not done.",
    "Read what the command printed before, correct the line that the message names, and give it and those after it again.",
  ),
  "cli/not-everywhere": row(
    "user",
    "A command for several participants was not carried out by all of them.",
    "The message names those that did not, each with the reason; what the others did stands.",
  ),
  "cli/job-not-over": row(
    "user",
    "A job was not over within the time that a command was to wait for it.",
    "Wait longer with --timeout; `flare job monitor` shows how far the job is.",
    { isRetryable: true, exit: exitStatus.timeout, grpc: grpcStatus.deadlineExceeded, http: 504 },
  ),
  "cli/job-not-completed": row(
    "user",
    "A job that was watched to its end did not end as FINISHED:COMPLETED.",
    "Read the reason, and the logs in the workspaces of the server and of the sites that it names.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "poc/not-prepared": row("user", "There is no POC federation in the POC workspace.", "Run flare poc prepare first.", {
    grpc: grpcStatus.failedPrecondition,
    http: 409,
  }),
  "poc/exists": row(
    "user",
    "The POC workspace already holds a federation.",
    "Use it with flare poc start, remove it with flare poc clean, or replace it with flare poc prepare --force.",
    { grpc: grpcStatus.alreadyExists, http: 409 },
  ),
  "poc/damaged": row(
    "user",
    "The file that says what is in the POC workspace was changed, so that nobody can tell what runs there.",
    "Stop what still runs with flare server stop and flare client stop, remove the POC workspace, and run flare poc prepare.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "poc/foreign-folder": row(
    "user",
    "The POC workspace is a folder that flare poc prepare did not make, so it is neither replaced nor removed.",
    "Set NVFLARE_POC_WORKSPACE to a folder that is empty or does not exist.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "poc/running": row(
    "user",
    "Services of the POC federation are still running.",
    "Run flare poc stop first. To flare poc clean and flare chaos, --force says that they may stop them themselves.",
    {
      grpc: grpcStatus.failedPrecondition,
      http: 409,
    },
  ),
  "poc/unknown-service": row(
    "user",
    "The POC federation has no service of that name.",
    "Take one of the names that flare poc status lists.",
    {
      exit: exitStatus.invalidArguments,
      grpc: grpcStatus.notFound,
      http: 404,
    },
  ),
  "poc/start-timeout": row(
    "user",
    "Services of the POC federation did not get ready in time.",
    "Read log.txt in the folder of the service that is named, or wait longer with --timeout.",
    { isRetryable: true, exit: exitStatus.timeout, grpc: grpcStatus.deadlineExceeded, http: 504 },
  ),
  "poc/not-local": row(
    "user",
    "Faults are made only in a federation that flare poc prepare made and that is all on this machine.",
    "Run flare poc prepare, and flare chaos on what that made. Never use the kits of a federation at work for it.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "poc/chaos-failed": row(
    "bug",
    "A job did not outlive the faults as it should have.",
    "Run flare chaos with the same seed again, and report the seed with the folder that the message names.",
  ),
} as const;
