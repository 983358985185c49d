import { type KeyType, keyTypes, revocationReasons } from "@flare-ts/contracts";
import { type Command, Option } from "commander";
import { adminKitHelp } from "../../admin-kit/find-admin-kit.js";
import { addCaKeyOptions, caKeyHelp, caKeyOptions } from "../../ca-key/workspace-ca-key.js";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import type { HolderOptions } from "./holder-options.js";

/** Adds what the holder of a project's CA does to certificates that were given out: `flare cert status`, `revoke`, `push`, `rollover`, `ca`. */
export function addHolderCommands(group: Command, bind: BindHandler): void {
  group
    .command("status [kit]")
    .description("say what expires when, in a workspace or in a kit")
    .option("-w, --workspace <dir>", "folder that keeps the project", "workspace")
    .option("--project <name>", "the project, where the workspace has several")
    .addHelpText(
      "after",
      examplesText([
        ["the CA, and the certificate of every participant", "flare cert status -w workspace"],
        ["the certificates of a kit", "flare cert status workspace/example_project/prod_00/hospital-1"],
      ]),
    )
    .action(
      bind(
        async () => (await import("./certificate-status.js")).certificateStatusCommand,
        ([kit], flags) => ({ kit, workspace: flags["workspace"] as string, project: flags["project"] as string | undefined }),
      ),
    );
  withWorkspace(withPush(group.command("revoke <participant>")))
    .description("take back every certificate of a participant, for good")
    .addOption(new Option("--reason <reason>", "why, in the words of RFC 5280").choices(revocationReasons).makeOptionMandatory())
    .option("--force", "revoke a name that the workspace gave no certificate to")
    .addHelpText(
      "after",
      `${examplesText([["a laptop was stolen", "flare cert revoke hospital-1 --reason keyCompromise --startup-kit admin@example.org"]])}
Writes state/trust.json, and for other tools state/crl.pem, and pushes the list to the server, which cuts the participant off and
tells all sites. Take the participant out of project.yml as well: provisioning lets it in again, with a new key.
${caKeyHelp}${adminKitHelp}`,
    )
    .action(
      bind(
        async () => (await import("./revoke-participant.js")).revokeParticipantCommand,
        ([participant = ""], flags) => ({
          ...holderOptions(flags),
          participant,
          reason: flags["reason"] as (typeof revocationReasons)[number],
          isForced: flags["force"] === true,
        }),
      ),
    );
  group
    .command("push")
    .description("give the server the trust list of the workspace again")
    .option("-w, --workspace <dir>", "folder that keeps the project", "workspace")
    .option("--project <name>", "the project, where the workspace has several")
    .option("--startup-kit <dir>", "the startup kit of a project_admin")
    .addHelpText("after", adminKitHelp)
    .action(
      bind(
        async () => (await import("./push-trust-list.js")).pushTrustListCommand,
        (_words, flags) => ({
          workspace: flags["workspace"] as string,
          project: flags["project"] as string | undefined,
          startupKit: flags["startupKit"] as string | undefined,
        }),
      ),
    );
  withWorkspace(group.command("renewals [participants...]"))
    .description("list the requests for certificates that wait at the server, and sign or decline those of the participants that are named")
    .option("--decline", "decline the requests of the participants that are named")
    .option("--startup-kit <dir>", "the startup kit of a project_admin")
    .addHelpText(
      "after",
      `${examplesText([
        ["what waits", "flare cert renewals"],
        ["sign a site's request", "flare cert renewals hospital-1 -w workspace"],
        ["decline one whose key is not the site's", "flare cert renewals hospital-1 --decline"],
      ])}
With renewal: ca_holder every participant's request waits; with renewal: server, those that the server may not issue for.
Whoever's request is declined makes another, for another key; flare cert revoke is for whoever is to have none.
${caKeyHelp}${adminKitHelp}`,
    )
    .action(
      bind(
        async () => (await import("./sign-renewals.js")).renewalsCommand,
        (participants, flags) => ({
          ...caKeyOptions(flags),
          participants,
          isDeclined: flags["decline"] === true,
          workspace: flags["workspace"] as string,
          project: flags["project"] as string | undefined,
          startupKit: flags["startupKit"] as string | undefined,
        }),
      ),
    );
  const rollover = group.command("rollover").description("replace the root of the project, with both trusted for a while");
  withWorkspace(withPush(rollover.command("start")))
    .description("make a new root beside the old one")
    .addOption(new Option("--key-type <type>", "kind of the new root's key (the project's)").choices(keyTypes))
    .addHelpText("after", `${caKeyHelp}${adminKitHelp}`)
    .action(
      bind(
        async () => (await import("./roll-over.js")).startRolloverCommand,
        (_words, flags) => ({ ...holderOptions(flags), keyType: flags["keyType"] as KeyType | undefined }),
      ),
    );
  withWorkspace(withPush(rollover.command("finish")))
    .description("stop trusting the old root")
    .option("--force", "also when participants of the workspace have certificates of the old root only")
    .addHelpText("after", `${caKeyHelp}${adminKitHelp}`)
    .action(
      bind(
        async () => (await import("./roll-over.js")).finishRolloverCommand,
        (_words, flags) => ({ ...holderOptions(flags), isForced: flags["force"] === true }),
      ),
    );
}

function withWorkspace(command: Command): Command {
  return addCaKeyOptions(
    command
      .option("-w, --workspace <dir>", "folder that keeps the project", "workspace")
      .option("--project <name>", "the project, where the workspace has several"),
  );
}

function withPush(command: Command): Command {
  return command
    .option("--startup-kit <dir>", "the startup kit of a project_admin, to tell the server")
    .option("--no-push", "do not tell the server");
}

function holderOptions(flags: Readonly<Record<string, unknown>>): HolderOptions {
  return {
    ...caKeyOptions(flags),
    workspace: flags["workspace"] as string,
    project: flags["project"] as string | undefined,
    startupKit: flags["startupKit"] as string | undefined,
    isPushed: flags["push"] !== false,
  };
}
