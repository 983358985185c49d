import { exitStatus, grpcStatus, row } from "./row.js";

/** Errors of the area `runtime`. */
export const runtimeErrors = {
  "runtime/quorum-lost": row(
    "site",
    "So many sites failed or left that a round can no longer get the answers that it needs.",
    "Look at the first error that the message names; correct it at that site, or lower min_clients, and submit the job again.",
  ),
  "runtime/mandatory-site-lost": row(
    "site",
    "A site that the job names in mandatory_clients left it.",
    "Correct the error at that site, or take it out of mandatory_clients, and submit the job again.",
  ),
  "runtime/task-stalled": row(
    "site",
    "Nothing has moved in a site's task for the stall time, and the round goes on without the site.",
    "The message says what stood still since when. Look at the site's network and at its log, or raise stall_timeout of the server.",
  ),
  "runtime/channel-closed": row(
    "server",
    "The connection between a job process and its parent ended while a call was under way.",
    "Nothing: the parent starts the job process again, and it goes on from the journal.",
    { isRetryable: true },
  ),
  "runtime/unknown-call": row(
    "bug",
    "A process was asked for something that it does not offer.",
    "Use the same version of FLARE-TS on both sides.",
  ),
  "runtime/job-process-start": row(
    "server",
    "A job process could not be started.",
    "Check that the job's folder exists and can be written, and that the machine has processes and memory left.",
    { isRetryable: true },
  ),
  "runtime/budget-too-small": row(
    "user",
    "The memory that a server or a site may hold is less than one job needs.",
    "Give more with `--max-memory` or `max_memory` in local/resources.json, or leave it out.",
  ),
  "runtime/already-running": row(
    "user",
    "Another process runs with the same kit.",
    "Stop it first, with `stop` or by the signal TERM; it is undisturbed by this attempt.",
    { grpc: grpcStatus.alreadyExists, http: 409 },
  ),
  "runtime/not-permitted": row(
    "user",
    "The process that runs with a kit belongs to another account.",
    "Run the command as the account that started the process, or as root. What systemd started, systemctl stops.",
    { grpc: grpcStatus.permissionDenied, http: 403 },
  ),
  "runtime/start-failed": row(
    "user",
    "A server or site that was started in the background did not become ready.",
    "Read the lines of its log that the message shows.",
  ),
  "runtime/update-missing": row(
    "site",
    "An update was handed in whose bytes the server does not hold.",
    "Nothing: the site uploads it again.",
    { isRetryable: true },
  ),
  "runtime/bad-message": row("bug", "A peer sent a message that makes no sense.", "Use the same release line of FLARE-TS on both sides.", {
    grpc: grpcStatus.invalidArgument,
    http: 400,
  }),
  "runtime/invalid-argument": row(
    "user",
    "An argument of a call is not one that it takes.",
    "Correct the argument that the message names. Where it comes from the flare command, use the same release line of FLARE-TS on both sides.",
  ),
  "runtime/session-closed": row("user", "The session was closed, and does nothing more.", "Open another one with `connectAdmin`."),
  "runtime/report-too-large": row(
    "site",
    "The metrics or the properties of an update are larger than a journal can hold.",
    "Log fewer metrics, and send what is large as a tensor of the model.",
    { grpc: grpcStatus.invalidArgument, http: 413 },
  ),
  "runtime/object-missing": row(
    "bug",
    "The store lacks an object that it should hold.",
    "Check whether files were deleted from the folder `models` of the kit.",
  ),
  "runtime/job-process-died": row(
    "site",
    "A job process died several times in a short time and is not started again.",
    "Read `log.txt` in the job's folder, correct the cause, and submit the job again.",
  ),
  "runtime/site-unknown": row(
    "user",
    "A command is for a site that the server has not seen since it started, or that is not of the command's study.",
    "Check the name against `flare system status`; a site that has not been there yet has to connect first.",
    { grpc: grpcStatus.notFound, http: 404 },
  ),
  "runtime/site-away": row(
    "site",
    "A command is for a site that is not connected to the server.",
    "Look at the site and at its way to the server, and give the command again; where the site does not run, it is started there.",
    { exit: exitStatus.connection, grpc: grpcStatus.unavailable, http: 503 },
  ),
  "runtime/site-silent": row(
    "site",
    "A site has not done what a command asks, or not said so, in the time that the command gives it.",
    "Look with `flare system status` at what became of it; give the command again with a longer --timeout.",
    { exit: exitStatus.timeout, grpc: grpcStatus.deadlineExceeded, http: 504 },
  ),
  "runtime/site-too-old": row(
    "site",
    "A command is for a site whose version of FLARE-TS takes none.",
    "Install the server's version of FLARE-TS there.",
  ),
  "runtime/not-watched": row(
    "user",
    "A process was told to restart, and nothing is there that would start it again.",
    "Start it by its kit's start.sh, by the kit's unit for systemd or in a container. Where something else starts it again whenever it ends with another status than 0, say so to it with FLARE_WATCHED=on-failure.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "runtime/not-back": row(
    "server",
    "A server or site that was restarted was not back in the time that the command gives it.",
    "Look at its log on its own machine; `flare system status` says when it is back.",
    { exit: exitStatus.timeout, grpc: grpcStatus.deadlineExceeded, http: 504 },
  ),
  "runtime/too-many-sites": row(
    "server",
    "As many sites are connected as the server takes.",
    "Raise `max_num_clients` in `local/resources.json` of the server's kit and start it again.",
    {
      isRetryable: true,
      grpc: grpcStatus.resourceExhausted,
      http: 429,
    },
  ),
} as const;
