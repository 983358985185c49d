import type { Command } from "commander";
import { addCaKeyOptions, caKeyHelp, caKeyOptions } from "../../ca-key/workspace-ca-key.js";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";

/** Adds `flare provision`. */
export function addProvisionCommand(command: Command, bind: BindHandler): void {
  addCaKeyOptions(command)
    .option("-p, --project-file <file>", "the project file", "project.yml")
    .option("-w, --workspace <dir>", "folder that keeps the project: its CA in state/, its kits in prod_NN/", "workspace")
    .option("-g, --generate", "write a sample project file to begin with, and no kits")
    .option("--archive", "put each kit into an encrypted zip file too, and show its passphrase, once")
    .addHelpText(
      "after",
      `${examplesText([
        ["a sample project file to begin with", "flare provision -g"],
        ["the kits of the project", "flare provision -p project.yml -w workspace"],
        ["the same, each also as an archive that can be sent", "flare provision -p project.yml --archive"],
      ])}
Writes workspace/<project>/prod_NN/<participant>/, NN one higher at each run. Run again after a participant was added: the CA and
the certificates of those who were there stay the same. All kits are written, or nothing is.
Keep workspace/<project>/state secret: it holds the key of the CA. Hand each participant its own folder and no other.
--archive: <participant>.zip beside each folder, AES-256, opened by 7-Zip, WinZip, macOS and flare. Its passphrase is printed here and
stands in no file: send it by another way than the archive.
${caKeyHelp}`,
    )
    .action(
      bind(
        async () => (await import("./provision-kits.js")).provisionKits,
        (_words, flags) => ({
          projectFile: flags["projectFile"] as string,
          ...caKeyOptions(flags),
          workspace: flags["workspace"] as string,
          isGenerate: flags["generate"] === true,
          isArchive: flags["archive"] === true,
        }),
      ),
    );
}
