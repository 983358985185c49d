import { FlareError, type Problem, revocationReasons } from "@flare-ts/contracts";
import { kitCertificateStatus, type ProjectStatus, projectCertificateStatus } from "../authority/certificate-status.js";
import { revokeParticipant } from "../authority/revoke.js";
import { readKit } from "../kit/read-kit.js";
import { provision } from "../provision.js";
import { caKeyOf } from "./ca-key-of.js";
import { helpText } from "./help-text.js";
import { type Flags, readFlags } from "./read-flags.js";

export interface CommandInit {
  /** What stands behind the command's name. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Takes a line for whoever reads the result. */
  readonly out: (line: string) => void;
  /** Takes a line about what is wrong. */
  readonly err: (line: string) => void;
  /** Aborting leaves the workspace as it was. */
  readonly signal?: AbortSignal;
}

/** Does what a command line of `flare-provision` says, and gives the exit status: 0, or that of the error which was told. */
export async function runCommand(init: CommandInit): Promise<number> {
  try {
    const flags = readFlags(init.argv);
    await verbs[flags.verb](flags, init);
    return 0;
  } catch (cause) {
    const { code, message, problems, row } = FlareError.from(cause);
    init.err(`error ${code}: ${message}`);
    for (const problem of problems) init.err(`  ${problemText(problem)}`);
    init.err(`What to do: ${row.todo}`);
    return row.exit;
  }
}

type Action = (flags: Flags, init: CommandInit) => Promise<void>;

const verbs: Readonly<Record<Flags["verb"], Action>> = {
  kits: makeKits,
  status: showStatus,
  revoke,
  help: async (_flags, { out }) => {
    out(helpText);
    await Promise.resolve();
  },
};

async function makeKits(flags: Flags, { env, out, err, signal }: CommandInit): Promise<void> {
  const { addUser, addClient } = flags;
  const { kits, warnings } = await provision({
    projectFile: flags.projectFile,
    workspace: flags.workspace,
    customFolder: flags.customFolder,
    startAll: flags.isStartAll,
    archives: flags.isArchive,
    ...(addUser === undefined ? {} : { addUserFile: addUser }),
    ...(addClient === undefined ? {} : { addClientFile: addClient }),
    caKey: caKeyOf(flags, env),
    ...(signal === undefined ? {} : { signal }),
  });
  for (const warning of warnings) err(`warning: ${problemText(warning)}`);
  for (const { type, name, dir, archive } of kits) {
    out([type, name, dir, ...(archive === undefined ? [] : [archive.file, archive.passphrase])].join("\t"));
  }
}

async function showStatus({ words: [kit], workspace, project }: Flags, { out }: CommandInit): Promise<void> {
  const status: ProjectStatus =
    kit === undefined ? await projectCertificateStatus({ workspace, project }) : await kitCertificateStatus(await readKit(kit));
  for (const { name, kind, role, validTo, condition } of status.certificates) {
    out([name, role === "" ? kind : role, validTo.toISOString(), condition].join("\t"));
  }
}

async function revoke(flags: Flags, { env, out }: CommandInit): Promise<void> {
  const { words, workspace, project } = flags;
  const [name] = words;
  const reason = revocationReasons.find((known) => known === flags.reason);
  if (name === undefined) throw new FlareError("cli/invalid-arguments", "revoke needs the name of a participant.");
  if (reason === undefined) throw new FlareError("cli/invalid-arguments", `--reason must be one of ${revocationReasons.join(", ")}.`);
  const revoked = await revokeParticipant({ workspace, project, name, reason, caKey: caKeyOf(flags, env) });
  for (const file of [revoked.trustListFile, revoked.revocationListFile]) out(file);
}

function problemText({ file, line, column, message }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(":");
  return place === "" ? message : `${place}: ${message}`;
}
