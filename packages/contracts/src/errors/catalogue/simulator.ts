import { exitStatus, grpcStatus, row } from "./row.js";

/** Errors of the area `simulator`. */
export const simulatorErrors = {
  "simulator/foreign-folder": row(
    "user",
    "The workspace of a simulation holds what flare simulator did not make, and nothing of that is replaced.",
    "Name another folder by -w, one that is empty or does not exist.",
    { grpc: grpcStatus.failedPrecondition, http: 409 },
  ),
  "simulator/sites-unfit": row(
    "user",
    "The job and the sites of the simulation do not go together: it would wait for ever, or a site would have nothing to run.",
    "Change -n, -c or -gpu, or what the job's meta.json says.",
    { exit: exitStatus.invalidArguments },
  ),
  "simulator/stopped": row("user", "A simulation was told to stop before its job was over.", "Nothing; another run begins anew.", {
    grpc: grpcStatus.cancelled,
    http: 409,
  }),
} as const;
