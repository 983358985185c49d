import type { SystemStatus } from "@flare-ts/runtime/admin";
import { type StudyOptions, withAdminInStudy } from "../../admin-kit/with-admin.js";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { softwareVersion } from "../../command-line/software-version.js";
import { plainText } from "../../terminal/plain-text.js";
import { tableLines } from "../../terminal/table.js";
import { chosenSites, type Targets } from "./operation-targets.js";

interface Version {
  readonly site: string;
  readonly version: string;
  readonly node: string;
}

/** Shows the versions of server and sites, as they said when they connected last, and who has another than the server. @throws FlareError `runtime/site-unknown` */
export async function systemVersion(context: CommandContext, options: StudyOptions & Targets): Promise<CommandOutput> {
  const status = await withAdminInStudy(context, options, (session) => session.status(context.signal));
  const { server } = status;
  const versions = versionsOf(status, options);
  const other = versions.filter(({ version }) => version !== "" && version !== server.softwareVersion).map(({ site }) => site);
  const own = softwareVersion();
  return {
    data: {
      admin_version: own,
      admin_node: process.version,
      compatible: other.length === 0,
      mismatched_sites: other,
      sites: versions.map(({ site, version, node }) => ({ site, version: version || null, node: node || null })),
    },
    text: [
      ...tableLines(
        [{ title: "NAME" }, { title: "VERSION" }, { title: "NODE" }],
        versions.map(({ site, version, node }) => [site, plainText(version) || "-", plainText(node) || "-"]),
      ),
      `this command: ${own}, Node ${process.version}`,
      other.length === 0 ? "all have the server's version" : `another version than the server's: ${other.join(", ")}`,
    ],
  };
}

function versionsOf({ server, sites }: SystemStatus, { target, sites: names }: Targets): readonly Version[] {
  const own = { site: server.name, version: server.softwareVersion, node: server.nodeVersion ?? "" };
  const wanted = chosenSites(sites, { target, sites: names });
  return [
    ...(target === "client" ? [] : [own]),
    ...wanted.map((site) => ({ site: site.name, version: site.softwareVersion, node: site.nodeVersion ?? "" })),
  ];
}
