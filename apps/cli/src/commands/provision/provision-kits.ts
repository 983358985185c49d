import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FlareError, type Problem } from "@flare-ts/contracts";
import type { ProvisionedKit } from "@flare-ts/provision";
import { type WorkspaceCaKeyOptions, workspaceCaKey } from "../../ca-key/workspace-ca-key.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { tableLines } from "../../terminal/table.js";
import { sampleProjectText } from "./sample-project.js";

/** What `flare provision` is given. */
export interface ProvisionOptions extends WorkspaceCaKeyOptions {
  readonly projectFile: string;
  readonly workspace: string;
  readonly isGenerate: boolean;
  readonly isArchive: boolean;
}

/** Makes the startup kits of a project, or writes a sample project file. */
export async function provisionKits(context: CommandContext, options: ProvisionOptions): Promise<CommandOutput> {
  if (options.isGenerate) return await writeSample(resolve(context.cwd, options.projectFile), options.projectFile);
  const { provision } = await import("@flare-ts/provision");
  const { prodDir, kits, warnings } = await provision({
    // Stays as it was typed, because it stands in the messages about its lines.
    projectFile: options.projectFile,
    workspace: resolve(context.cwd, options.workspace),
    archives: options.isArchive,
    caKey: workspaceCaKey(context, { ...options, makesKits: true }),
    signal: context.signal,
  });
  for (const warning of warnings) context.terminal.err(`${context.terminal.colors.yellow("warning:")} ${warningText(warning)}`);
  return {
    data: {
      prod_dir: prodDir,
      kits: kits.map(({ name, type, dir, archive }) => ({
        name,
        type,
        dir,
        ...(archive === undefined ? {} : { archive: { ...archive } }),
      })),
      warnings: warnings.map(warningText),
    },
    text: [
      ...tableLines(
        [{ title: "PARTICIPANT" }, { title: "TYPE" }, { title: "STARTUP KIT" }],
        kits.map((kit) => [kit.name, kit.type, kit.dir]),
      ),
      ...archiveLines(kits),
    ],
    ...(options.isArchive ? { hints: ["Send each passphrase by another way than its archive."] } : {}),
  };
}

function archiveLines(kits: readonly ProvisionedKit[]): string[] {
  const rows = kits.flatMap(({ archive }) => (archive === undefined ? [] : [[archive.passphrase, archive.file]]));
  if (rows.length === 0) return [];
  return ["", ...tableLines([{ title: "PASSPHRASE, SHOWN ONCE" }, { title: "ARCHIVE" }], rows)];
}

async function writeSample(path: string, shownPath: string): Promise<CommandOutput> {
  try {
    await writeFile(path, sampleProjectText, { flag: "wx" });
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
