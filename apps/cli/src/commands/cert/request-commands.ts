import { type KeyType, keyTypes, maxRootValidDays } from "@flare-ts/contracts";
import { type Command, Option } from "commander";
import { addCaKeyOptions, caKeyHelp, caKeyOptions } from "../../ca-key/workspace-ca-key.js";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import { wholeNumber } from "../../command-line/number-arguments.js";

/** Adds `flare cert init`, `request` and `approve`: certificates for keys that stay where they were made. */
export function addRequestCommands(group: Command, bind: BindHandler): void {
  addCaKeyOptions(group.command("init"))
    .description("make the certificate authority of a project")
    .requiredOption("--profile <file>", "the project's profile: name, server, connection_security", "project_profile.yaml")
    .requiredOption("-o, --output-dir <dir>", "folder of the authority")
    .option("--org <name>", "organisation in the root certificate")
    .option(
      "--valid-days <days>",
      "days that the root certificate is good for (the profile's root_valid_days, or 3650)",
      wholeNumber(1, maxRootValidDays),
    )
    .option("--deploy-version <nn>", "number of the folder prod_NN that kits go into", "00")
    .option("--force", "replace an authority that is there; it is kept in .bak")
    .addHelpText(
      "after",
      `${examplesText([["an authority whose key is encrypted", "flare cert init --profile project_profile.yaml -o ca"]])}
Writes rootCA.pem, rootCA.key, ca.json, and <project>/state for what it will issue: flare cert status, revoke and rollover take
this folder as their --workspace.
${caKeyHelp}`,
    )
    .action(
      bind(
        async () => (await import("./init-authority.js")).initAuthorityCommand,
        (_words, flags) => ({
          profile: flags["profile"] as string,
          outputDir: flags["outputDir"] as string,
          org: flags["org"] as string | undefined,
          validDays: flags["validDays"] as number | undefined,
          deployVersion: flags["deployVersion"] as string,
          isForced: flags["force"] === true,
          ...caKeyOptions(flags),
        }),
      ),
    );
  group
    .command("request")
    .description("make a private key and ask for a certificate")
    .requiredOption("-p, --participant <file>", "who asks: project, and one participant with name, type, org", "participant.yaml")
    .option("--out <dir>", "folder of the request (the participant's name)")
    .addOption(new Option("--key-type <type>", "kind of private key").choices(keyTypes).default("rsa-2048"))
    .option("--force", "replace a request that is there; it is kept in .bak")
    .addHelpText(
      "after",
      `${examplesText([["a key, and a request for the project admin", "flare cert request -p participant.yaml"]])}
Send <name>/<name>.request.zip to the project admin. <name>/<name>.key stays on this machine: nobody else ever needs it.
`,
    )
    .action(
      bind(
        async () => (await import("./request-certificate.js")).requestCertificateCommand,
        (_words, flags) => ({
          participant: flags["participant"] as string,
          out: flags["out"] as string | undefined,
          keyType: flags["keyType"] as KeyType,
          isForced: flags["force"] === true,
        }),
      ),
    );
  addCaKeyOptions(group.command("approve <request>"))
    .description("show what a request asks for, and issue the certificate")
    .requiredOption("-c, --ca-dir <dir>", "folder of the authority, or a workspace that holds the project")
    .requiredOption("--profile <file>", "the project's profile", "project_profile.yaml")
    .option("--out <file>", "the archive for the participant (<name>.signed.zip beside the request)")
    .option(
      "--valid-days <days>",
      "days that the certificate is good for (the profile's leaf_lifetime, or 90)",
      wholeNumber(1, maxRootValidDays),
    )
    .option("--force", "write over an archive that is there, and issue for a new key under a name that has a certificate")
    .option("-y, --yes", "approve without being asked")
    .addHelpText(
      "after",
      `${examplesText([["look at a request, then say yes or no", "flare cert approve hospital-a.request.zip -c ca"]])}
Send the archive back, and the fingerprint that is shown over another way, such as the telephone.
${caKeyHelp}`,
    )
    .action(
      bind(
        async () => (await import("./approve-request.js")).approveRequestCommand,
        ([request = ""], flags) => ({
          request,
          caDir: flags["caDir"] as string,
          profile: flags["profile"] as string,
          out: flags["out"] as string | undefined,
          validDays: flags["validDays"] as number | undefined,
          isForced: flags["force"] === true,
          ...caKeyOptions(flags),
          isSure: flags["yes"] === true,
        }),
      ),
    );
}
