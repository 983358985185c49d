import { exitStatus, grpcStatus, row } from "./row.js";

const connection = { exit: exitStatus.connection, grpc: grpcStatus.permissionDenied, http: 403 } as const;
const arguments_ = { exit: exitStatus.invalidArguments } as const;

/** Errors of studies: of those who work in one, and of those who change them. */
export const studyErrors = {
  "study/unknown": row(
    "user",
    "There is no study of this name in which this admin may work.",
    "See `flare study list`; if the study is there and you belong to it, ask its administrator for `flare study add-user`.",
    connection,
  ),
  "study/not-a-member": row(
    "user",
    "An admin who may see a study is not one of its users.",
    "Add yourself with `flare study add-user`, or leave `--study` out for the study of everybody.",
    connection,
  ),
  "study/invalid-name": row(
    "user",
    "This cannot be the name of a study.",
    "Use small letters, digits, - and _, 63 at most, with a letter or digit at both ends; `default` is the study of everybody.",
    arguments_,
  ),
  "study/not-found": row(
    "user",
    "There is no study of this name that this admin may see.",
    "See `flare study list`; if the study is there, ask a project_admin.",
    { grpc: grpcStatus.notFound, http: 404 },
  ),
  "study/exists": row("user", "Another organisation has registered a study of this name.", "Choose another name, or ask a project_admin.", {
    grpc: grpcStatus.alreadyExists,
    http: 409,
  }),
  "study/site-unknown": row(
    "user",
    "A site is to be added to a study, and the server has not seen a site of that name and organisation since it started.",
    "Start the site, look at `flare system status` for its name and organisation, then try again.",
    arguments_,
  ),
  "study/wrong-arguments": row(
    "user",
    "Sites were named in a way that this admin's role does not use.",
    "As project_admin name organisations too, with `--site-org org:site-1,site-2`; as org_admin name sites of your own with `--sites`.",
    arguments_,
  ),
  "study/user-there": row("user", "The user is in the study already.", "There is nothing to do.", {
    grpc: grpcStatus.alreadyExists,
    http: 409,
  }),
  "study/user-not-there": row("user", "The user is not in the study.", "Check the name with `flare study show`.", {
    grpc: grpcStatus.notFound,
    http: 404,
  }),
  "study/has-jobs": row("user", "A study that has jobs cannot be removed.", "Delete its jobs first, with `flare job delete --study`.", {
    grpc: grpcStatus.failedPrecondition,
    http: 409,
  }),
  "study/not-kept": row(
    "user",
    "A server cannot keep the studies as they would be: there are too many of them, or of their sites or users.",
    "Remove what is not needed any more, or provision another project.",
    { grpc: grpcStatus.resourceExhausted },
  ),
  "study/site-removed": row(
    "user",
    "A site was removed from a study in which it took part in a job.",
    "Nothing, if that was meant: the job goes on with the others as its quorum allows. A new job finds the site after `flare study add-site`.",
  ),
} as const;
