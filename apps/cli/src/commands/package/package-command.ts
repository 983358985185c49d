import type { Command } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";

/** Adds `flare package`. */
export function addPackageCommand(command: Command, bind: BindHandler): void {
  command
    .argument("<signed>", "the archive that the project admin sent back, <name>.signed.zip")
    .option("-w, --workspace <dir>", "folder that keeps the projects", "workspace")
    .option("--request-dir <dir>", "folder of the request (found by ~/.flare, or beside the archive)")
    .option("--fingerprint <sha256>", "fingerprint of the root certificate, as the project admin gave it over another way")
    .option("--expected-fingerprint <sha256>", "the same")
    .option("--force", "replace a kit that is there; it is kept in .bak")
    .addHelpText(
      "after",
      `${examplesText([["a kit from the approval and the key of this machine", "flare package hospital-a.signed.zip --fingerprint SHA256:AA:BB:…"]])}
Writes workspace/<project>/prod_NN/<name>, an ordinary startup kit.
`,
    )
    .action(
      bind(
        async () => (await import("./package-kit.js")).packageKitCommand,
        ([signed = ""], flags) => ({
          signed,
          workspace: flags["workspace"] as string,
          requestDir: flags["requestDir"] as string | undefined,
          fingerprints: [flags["fingerprint"], flags["expectedFingerprint"]].filter((text) => typeof text === "string"),
          isForced: flags["force"] === true,
        }),
      ),
    );
}
