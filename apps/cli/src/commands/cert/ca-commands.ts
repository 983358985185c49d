import { type KeyType, keyTypes } from "@flare-ts/contracts";
import { type Command, Option } from "commander";
import { addCaKeyOptions, caKeyHelp, caKeyOptions } from "../../ca-key/workspace-ca-key.js";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import type { CaPlaceOptions } from "./external-ca.js";

/** Adds `flare cert ca …`. */
export function addCaCommands(group: Command, bind: BindHandler): void {
  withPlace(group.command("use"))
    .description("issue the project's certificates below a CA whose key is at hand")
    .requiredOption("--ca-cert <file>", "certificate of the CA, followed by those above it up to the root; PEM")
    .requiredOption("--ca-key <file>", "its private key; PEM, not encrypted")
    .addOption(keyTypeOption())
    .addHelpText(
      "after",
      `${examplesText([["below a CA of the house", "flare cert ca use --project cancer --ca-cert chain.pem --ca-key ca.key"]])}
The CA's key is used once, for an authority of this project, and not kept; a CA whose name is the project's is taken as it is.
${caKeyHelp}`,
    )
    .action(
      bind(
        async () => (await import("./external-ca.js")).useCaCommand,
        (_words, flags) => ({
          ...place(flags),
          caCert: flags["caCert"] as string,
          caKey: flags["caKey"] as string,
          keyType: flags["keyType"] as KeyType,
        }),
      ),
    );
  withPlace(group.command("request"))
    .description("make a key for the project's authority, and a request for a CA elsewhere to sign")
    .requiredOption("-o, --out <file>", "file for the request (PKCS #10, PEM)")
    .addOption(keyTypeOption())
    .addHelpText(
      "after",
      `${examplesText([["ask the CA of the house", "flare cert ca request --project cancer -o cancer.csr"]])}
It must come back as a certificate that may issue others (CA:TRUE), with the subject that the request has.
${caKeyHelp}`,
    )
    .action(
      bind(
        async () => (await import("./external-ca.js")).requestCaCommand,
        (_words, flags) => ({
          ...place(flags),
          out: flags["out"] as string,
          keyType: flags["keyType"] as KeyType,
        }),
      ),
    );
  withPlace(group.command("import"))
    .description("take the certificate that a CA elsewhere made from the request")
    .requiredOption("--chain <file>", "the certificate, followed by those above it up to the root; PEM")
    .addHelpText("after", caKeyHelp)
    .action(
      bind(
        async () => (await import("./external-ca.js")).importCaCommand,
        (_words, flags) => ({ ...place(flags), chain: flags["chain"] as string }),
      ),
    );
}

function withPlace(command: Command): Command {
  return addCaKeyOptions(
    command
      .requiredOption("--project <name>", "name of the project; it need not be there yet")
      .option("-w, --workspace <dir>", "folder that keeps the project", "workspace"),
  );
}

function keyTypeOption(): Option {
  return new Option("--key-type <type>", "kind of the authority's key").choices(keyTypes).default("rsa-2048");
}

function place(flags: Readonly<Record<string, unknown>>): CaPlaceOptions {
  return { ...caKeyOptions(flags), workspace: flags["workspace"] as string, project: flags["project"] as string };
}
