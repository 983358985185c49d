import type { Command } from "commander";
import { adminKitHelp } from "../../admin-kit/find-admin-kit.js";
import type { AdminOptions } from "../../admin-kit/with-admin.js";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import type { StudySitesOptions } from "./study-sites.js";

/** Adds `flare study …`. */
export function addStudyCommands(group: Command, bind: BindHandler): void {
  group.addHelpText(
    "after",
    `
A study is a named group of sites and admins. What is done with --study sees nothing of others.
A project_admin names sites by organisation (--site-org), an org_admin those of the own (--sites).
${adminKitHelp}`,
  );
  withSites(group.command("register").description("make a study, or add sites to one that is there; who does it is one of its users"))
    .addHelpText(
      "after",
      examplesText([
        ["as project_admin", "flare study register lungs --site-org clinic_a:hospital-1,hospital-2 --site-org clinic_b:hospital-3"],
        ["as org_admin, with sites of the own organisation", "flare study register lungs --sites hospital-1 hospital-2"],
      ]),
    )
    .action(bind(async () => (await import("./change-sites.js")).registerStudy, sitesOptions));
  withSites(group.command("add-site").description("add sites to a study, for jobs that start from now on"))
    .addHelpText("after", examplesText([["as project_admin", "flare study add-site lungs --site-org clinic_b:hospital-4"]]))
    .action(bind(async () => (await import("./change-sites.js")).addSites, sitesOptions));
  withSites(group.command("remove-site").description("remove sites from a study; they leave its jobs that run, at once"))
    .addHelpText("after", examplesText([["as org_admin", "flare study remove-site lungs --sites hospital-2"]]))
    .action(bind(async () => (await import("./change-sites.js")).removeSites, sitesOptions));
  withUser(group.command("add-user").description("let an admin work in a study"))
    .addHelpText("after", examplesText([["a colleague", "flare study add-user lungs ann@clinic-a.org"]]))
    .action(bind(async () => (await import("./change-users.js")).addUser, userOptions));
  withUser(group.command("remove-user").description("let an admin not work in a study any more; jobs that the admin submitted stay"))
    .addHelpText("after", examplesText([["a colleague who left", "flare study remove-user lungs ann@clinic-a.org"]]))
    .action(bind(async () => (await import("./change-users.js")).removeUser, userOptions));
  withName(group.command("remove").description("remove a study that has no jobs"))
    .option("--force", "do not ask")
    .addHelpText("after", examplesText([["in a script", "flare study remove lungs --force"]]))
    .action(
      bind(
        async () => (await import("./show-studies.js")).removeStudy,
        (words, flags) => ({ ...nameOptions(words, flags), isForced: flags["force"] === true }),
      ),
    );
  withKit(group.command("list").description("list the studies that you may see"))
    .addHelpText("after", examplesText([["for a script", "flare study list --format json"]]))
    .action(
      bind(
        async () => (await import("./show-studies.js")).listStudies,
        (_words, flags) => kitOptions(flags),
      ),
    );
  withName(group.command("show").description("show the sites and users of a study"))
    .addHelpText("after", examplesText([["for a script", "flare study show lungs --format json"]]))
    .action(bind(async () => (await import("./show-studies.js")).showStudy, nameOptions));
}

type Flags = Readonly<Record<string, unknown>>;

function withKit(command: Command): Command {
  return command.option("--startup-kit <dir>", "the admin's startup kit");
}

function withName(command: Command): Command {
  return withKit(command.argument("<name>", "the study's name"));
}

function withUser(command: Command): Command {
  return withName(command).argument("<user>", "the admin's name, an e-mail address");
}

function withSites(command: Command): Command {
  return withName(command)
    .option("--site-org <org:sites...>", "sites of an organisation, as org:site-1,site-2; may be given more than once")
    .option("--sites <site...>", "sites of the own organisation");
}

function kitOptions(flags: Flags): AdminOptions {
  return { startupKit: flags["startupKit"] as string | undefined };
}

function nameOptions([name = ""]: readonly string[], flags: Flags): AdminOptions & { readonly name: string } {
  return { name, ...kitOptions(flags) };
}

function userOptions([name = "", user = ""]: readonly string[], flags: Flags) {
  return { name, user, ...kitOptions(flags) };
}

function sitesOptions(words: readonly string[], flags: Flags): StudySitesOptions {
  const { siteOrg, sites } = flags as { readonly siteOrg?: readonly string[]; readonly sites?: readonly string[] };
  return { ...nameOptions(words, flags), siteOrgs: siteOrg, sites };
}
