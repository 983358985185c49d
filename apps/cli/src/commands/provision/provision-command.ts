import { type Command, Option } from "commander";
import { addCaKeyOptions, caKeyHelp, caKeyOptions } from "../../ca-key/workspace-ca-key.js";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { commandSchema } from "../../command-line/command-schema.js";
import { examplesText } from "../../command-line/examples-text.js";

const examples = [
  ["a sample project file to begin with", "flare provision -g"],
  ["the kits of the project", "flare provision -p project.yml -w workspace"],
  ["the same, each also as an archive that can be sent", "flare provision -p project.yml --archive"],
  ["one more admin, whom the project file does not name", "flare provision -p project.yml --add-user user.yml"],
] as const;

/** FLARE's flags with an underscore, and those that they stand for. */
const aliases = {
  "--project_file <file>": ["project_file", "projectFile"],
  "--gen_edge": ["gen_edge", "genEdge"],
  "--custom_folder <dir>": ["custom_folder", "customFolder"],
  "--add_user <file>": ["add_user", "addUser"],
  "--add_client <file>": ["add_client", "addClient"],
  "--gen_scripts": ["gen_scripts", "genScripts"],
} as const;

/** Adds `flare provision`. */
export function addProvisionCommand(command: Command, bind: BindHandler): void {
  addCaKeyOptions(command)
    .option("-p, --project-file <file>", "the project file; project.yml where it is not given")
    .option("-w, --workspace <dir>", "folder that keeps the project: its CA in state/, its kits in prod_NN/", "workspace")
    .option("-c, --custom-folder <dir>", "folder of builders and packagers of your own", ".")
    .option("-g, --generate", "write a sample project file to begin with, and no kits")
    .option("-e, --gen-edge", "write a sample project file whose relays and sites are made as a tree, and no kits")
    .option("--add-user <file>", "one more admin, for this run: a file with name, org and role")
    .option("--add-client <file>", "one more site, for this run: a file with name and org")
    .option("-s, --gen-scripts", "write start_all.sh too, which starts the whole project on one machine")
    .option("--archive", "put each kit into an encrypted zip file too, and show its passphrase, once")
    .option("--force", "do not ask before a project that is there already is provisioned again")
    .option("--schema", "print what this command takes as JSON, and do nothing")
    .addHelpText(
      "after",
      `${examplesText(examples.map(([what, line]) => [what, line]))}
Writes workspace/<project>/prod_NN/<participant>/, NN one higher at each run. Run again after a participant was added: the CA and
the certificates of those who were there stay the same. All kits are written, or nothing is. Without -p, and without a project.yml,
the sample is written.
Keep workspace/<project>/state secret: it holds the key of the CA. Hand each participant its own folder and no other.
--archive: <participant>.zip beside each folder, AES-256, which 7-Zip (7z x) and WinZip open, and unzip does not. Its passphrase is printed here and
stands in no file: send it by another way than the archive.
${caKeyHelp}`,
    )
    .action(
      bind(
        async () => (await import("./provision-kits.js")).provisionKits,
        (_words, flags) => readFlags(command, withoutAliases(flags)),
      ),
    );
  for (const flag of Object.keys(aliases)) command.addOption(new Option(flag).hideHelp());
}

function withoutAliases(flags: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const given = Object.values(aliases).flatMap(([alias, name]) => (flags[alias] === undefined ? [] : [[name, flags[alias]] as const]));
  return { ...flags, ...Object.fromEntries(given) };
}

function readFlags(command: Command, flags: Readonly<Record<string, unknown>>) {
  const text = (name: string): string | undefined => flags[name] as string | undefined;
  return {
    ...caKeyOptions(flags),
    projectFile: text("projectFile"),
    workspace: text("workspace") ?? "workspace",
    customFolder: text("customFolder") ?? ".",
    addUserFile: text("addUser"),
    addClientFile: text("addClient"),
    sample: sampleOf(flags),
    isStartAll: flags["genScripts"] === true,
    isArchive: flags["archive"] === true,
    isForced: flags["force"] === true,
    schema:
      flags["schema"] === true
        ? commandSchema(
            command,
            "flare provision",
            examples.map(([, line]) => line),
          )
        : undefined,
  };
}

function sampleOf(flags: Readonly<Record<string, unknown>>): "plain" | "edge" | undefined {
  if (flags["genEdge"] === true) return "edge";
  return flags["generate"] === true ? "plain" : undefined;
}
