import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FlareError, type Json, type Problem } from "@flare-ts/contracts";
import type { ProvisionedKit } from "@flare-ts/provision";
import { type WorkspaceCaKeyOptions, workspaceCaKey } from "../../ca-key/workspace-ca-key.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { askYes } from "../../terminal/ask-yes.js";
import { tableLines } from "../../terminal/table.js";
import { sampleEdgeProjectText, sampleProjectText } from "./sample-project.js";

/** What `flare provision` is given. */
export interface ProvisionOptions extends WorkspaceCaKeyOptions {
  /** @default project.yml */
  readonly projectFile: string | undefined;
  readonly workspace: string;
  readonly customFolder: string;
  readonly addUserFile: string | undefined;
  readonly addClientFile: string | undefined;
  /** Which sample project file to write, and no kits. */
  readonly sample: "plain" | "edge" | undefined;
  readonly isStartAll: boolean;
  readonly isArchive: boolean;
  readonly isForced: boolean;
  /** What the command takes, where that is asked for. */
  readonly schema: { readonly [key: string]: Json } | undefined;
}

const defaultProjectFile = "project.yml";

/** Makes the startup kits of a project, or writes a sample project file. */
export async function provisionKits(context: CommandContext, options: ProvisionOptions): Promise<CommandOutput> {
  const { schema, projectFile = defaultProjectFile, addUserFile, addClientFile } = options;
  if (schema !== undefined) return { data: schema, text: [JSON.stringify(schema, undefined, 2)] };
  const isFirst = options.projectFile === undefined && !existsSync(resolve(context.cwd, projectFile));
  const sample = options.sample ?? (isFirst ? "plain" : undefined);
  if (sample !== undefined) return await writeSample(resolve(context.cwd, projectFile), projectFile, sample);
  const { provision } = await import("@flare-ts/provision");
  const { prodDir, kits, warnings } = await provision({
    // Stays as it was typed, because it stands in the messages about its lines.
    projectFile,
    ...(addUserFile === undefined ? {} : { addUserFile }),
    ...(addClientFile === undefined ? {} : { addClientFile }),
    workspace: resolve(context.cwd, options.workspace),
    customFolder: resolve(context.cwd, options.customFolder),
    startAll: options.isStartAll,
    archives: options.isArchive,
    caKey: workspaceCaKey(context, { ...options, makesKits: true }),
    onExisting: async (dir) => {
      if (!options.isForced) await confirm(context, dir);
    },
    signal: context.signal,
  });
  const isExtended = kits.some(({ identity }) => identity !== "new");
  for (const warning of warnings) context.terminal.err(`${context.terminal.colors.yellow("warning:")} ${warningText(warning)}`);
  return {
    data: {
      prod_dir: prodDir,
      kits: kits.map(({ name, type, dir, identity, archive }) => ({
        name,
        type,
        dir,
        identity,
        ...(archive === undefined ? {} : { archive: { ...archive } }),
      })),
      warnings: warnings.map(warningText),
    },
    text: [
      ...tableLines(
        [{ title: "PARTICIPANT" }, { title: "TYPE" }, ...(isExtended ? [{ title: "IDENTITY" }] : []), { title: "STARTUP KIT" }],
        kits.map((kit) => [kit.name, kit.type, ...(isExtended ? [identityWords[kit.identity]] : []), kit.dir]),
      ),
      ...archiveLines(kits),
    ],
    hints: [
      ...(kits.some(({ identity }) => identity === "kept")
        ? ["Whose identity is kept can stay with the kit they have, unless the project file changed anything else for them."]
        : []),
      ...(options.isArchive ? ["Send each passphrase by another way than its archive."] : []),
      `Next: hand each participant its own kit and no other, and back up ${join(dirname(prodDir), "state")}, which holds the CA.`,
    ],
  };
}

const identityWords: Readonly<Record<ProvisionedKit["identity"], string>> = {
  new: "new",
  kept: "kept",
  "new-certificate": "new certificate",
  "new-key": "new key",
};

function archiveLines(kits: readonly ProvisionedKit[]): string[] {
  const rows = kits.flatMap(({ archive }) => (archive === undefined ? [] : [[archive.passphrase, archive.file]]));
  if (rows.length === 0) return [];
  return ["", ...tableLines([{ title: "PASSPHRASE, SHOWN ONCE" }, { title: "ARCHIVE" }], rows)];
}

/** Only a person can be asked; a script goes on, because nothing is overwritten. */
async function confirm(context: CommandContext, dir: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY || context.format !== "txt") return;
  if (await askYes(`${dir} is there already. Make new kits in it, beside the old ones?`, context.signal)) return;
  throw new FlareError("cli/not-confirmed", "No kits were made.");
}

async function writeSample(path: string, shownPath: string, sample: "plain" | "edge"): Promise<CommandOutput> {
  try {
    await writeFile(path, sample === "edge" ? sampleEdgeProjectText : sampleProjectText, { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
      throw new FlareError("cli/output-exists", `${shownPath} is already there and stays as it is.`, { facts: { file: shownPath }, cause });
    }
    throw new FlareError("file/unwritable", `Cannot write ${shownPath}.`, { facts: { file: shownPath }, cause });
  }
  return {
    data: { project_file: path },
    text: [`Wrote ${shownPath}.`],
    hints: [`Next: put your names in it, then flare provision -p ${shownPath}`],
  };
}

function warningText(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(":");
  return `${place === "" ? "" : `${place}: `}${problem.message}`;
}
