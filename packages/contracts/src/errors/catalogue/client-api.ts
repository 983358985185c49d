import { row } from "./row.js";

/** Errors of the area `client-api`: what a training script and the job process that runs it can see. */
export const clientApiErrors = {
  "client-api/no-bootstrap": row(
    "user",
    "The script was not started by a job, so there is nothing to talk to.",
    "Submit the script as part of a job; a site starts it and sets FLARE_CLIENT_API_BOOTSTRAP.",
  ),
  "client-api/bootstrap-invalid": row(
    "site",
    "The bootstrap file that a job process wrote for its trainer cannot be used.",
    "Start the trainer with the client of the same release as the site, and leave FLARE_CLIENT_API_BOOTSTRAP as the site set it.",
  ),
  "client-api/version-mismatch": row(
    "site",
    "The trainer and the job process speak different versions of the Client API protocol.",
    "Install the same release on both sides.",
  ),
  "client-api/protocol-violation": row(
    "bug",
    "The other end of the channel between job process and trainer sent what the protocol does not allow.",
    "Do not write to the channel's file descriptor from the script. If only the client writes to it, report this as a bug.",
  ),
  "client-api/not-initialised": row(
    "user",
    "A Client API call came before init().",
    "Call and await init() once, at the start of the script.",
  ),
  "client-api/no-task": row(
    "user",
    "The script sent a result without having received a model.",
    "Call receive() before each send(), and send once for each model received.",
  ),
  "client-api/weight-missing": row(
    "user",
    "A result does not say how many steps or samples it stands for.",
    "Set meta.NUM_STEPS_CURRENT_ROUND to a positive number; it is the weight of this site in the average.",
  ),
  "client-api/result-invalid": row(
    "user",
    "A result that the script sent cannot be taken.",
    "Send tensors with the names and shapes that were received (for an evaluation none), finite metrics, and plain JSON as meta.",
  ),
  "client-api/difference-unsupported": row(
    "user",
    "The job asks for differences, and the client cannot compute one for these tensors.",
    "Send paramsType DIFF with differences made by the script, or set params_transfer_type to FULL.",
  ),
  "client-api/disconnected": row(
    "site",
    "The job process that started this trainer is gone.",
    "Nothing: the site starts the job process and the trainer again, and delivers the task once more.",
  ),
  "client-api/trainer-died": row(
    "user",
    "The training script ended before it sent a result.",
    "Read the last lines of its output in this error, and all of it in trainer.log of the job's folder at the site.",
  ),
  "client-api/trainer-stalled": row(
    "user",
    "The training script made no progress for the stall time, and was ended.",
    "Read where it stood in `stack` and `output` of this error at the site. If it was well, call flare.progress() in its loop, or raise stall_timeout.",
  ),
  "client-api/attach-timeout": row(
    "site",
    "The job waits for a trainer that is started by hand, and none has come.",
    "Start it at the site with `flare-client attach`, which comes with the `flare` command, or raise attach_timeout of the executor.",
  ),
  "client-api/attach-refused": row(
    "user",
    "The trainer cannot attach: another one serves the job, or there is none of this name.",
    "End the other trainer first, or give the attach_id and the folder of the job that is meant.",
  ),
  "client-api/secret-missing": row(
    "site",
    "The job names a secret that this site does not have.",
    "Name it under `secrets` in local/resources.json of the site, with from_file or from_env, and start the site again.",
  ),
  "client-api/dataset-missing": row(
    "user",
    "A job asks for a data set that the site does not offer, or that is no CSV file with what is wanted.",
    "Compare `datasets` of the job's component with `datasets` in the site's `local/resources.json`.",
  ),
  "client-api/items-invalid": row(
    "user",
    "The identifiers of a site cannot be intersected with those of others: there are none, too many, or one that is no line of text.",
    "Compare the column or the class that the job's component names with the site's data; identifiers are texts without line breaks.",
  ),
  "client-api/launch-failed": row(
    "user",
    "The trainer could not be started.",
    "Check that the command of the executor exists at this site and may be run; give programs that are not JavaScript or TypeScript as command.",
  ),
  "client-api/launch-timeout": row(
    "user",
    "The trainer was started but did not call init() in time.",
    "Call init() before slow work such as loading data, or raise launch_timeout of the executor (without one, stall_timeout counts).",
  ),
  "client-api/script-missing": row(
    "user",
    "The training script that the job names is not in its custom folder.",
    "Put the script into app/custom and give its path there as task_script_path.",
  ),
  "client-api/no-executor": row(
    "user",
    "The job has no executor for a task.",
    "Add an executor with the task's name, a prefix such as train_*, or * to executors in config_fed_client.json.",
  ),
} as const;
