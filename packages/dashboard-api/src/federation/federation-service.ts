import { connectAdmin } from "@flare-ts/runtime/admin";
import type { DashboardParts } from "../dashboard-parts.js";
import { ConnectedFederation } from "./connected-federation.js";
import type { FederationLink } from "./federation-link.js";
import { JobSubmitters } from "./job-submitters.js";
import { builtInTemplates, JobTemplates } from "./job-templates.js";
import { LiveFeed, type LiveFeedInit } from "./live-feed.js";
import { TransferFolder } from "./transfer-folder.js";

/** What handlers of the federation at work are made from. */
export interface FederationService {
  readonly link: FederationLink;
  readonly feed: LiveFeed;
  readonly submitters: JobSubmitters;
  readonly templates: JobTemplates;
  readonly transfers: TransferFolder;
  /** Ends the connection to the server. */
  close(): Promise<void>;
}

export interface OpenFederationInit {
  /** Admin kit of a federation that exists already. @default the dashboard's own, once the project is frozen */
  readonly adminKit?: string | undefined;
  /** Whether clear text may leave this machine on the way to the server, where the kit says `clear`. @default false */
  readonly isClearAllowed?: boolean | undefined;
  /** Folder with the examples that are offered as templates. @default those that come with this package */
  readonly templatesFolder?: string | undefined;
  readonly liveTimes?: LiveFeedInit | undefined;
  /** In place of a connection to a server. */
  readonly link?: FederationLink | undefined;
}

/** Opens what belongs to the federation at work, and begins to connect to the server. */
export async function openFederation(
  components: Pick<DashboardParts, "db" | "now" | "logger" | "kits" | "changes" | "dataFolder">,
  init: OpenFederationInit,
): Promise<FederationService> {
  const { db, now, logger, kits, changes, dataFolder } = components;
  const submitters = await JobSubmitters.open({ db, now });
  const { adminKit, isClearAllowed, link: given } = init;
  const link =
    given ??
    new ConnectedFederation({
      kitFolder: adminKit === undefined ? () => kits.ownKitFolder() : () => Promise.resolve(adminKit),
      onKit: (listener) => (adminKit === undefined ? kits.onOwnKit(listener) : () => {}),
      connect: (kitDir, signal) => connectAdmin({ kitDir, signal, isClearAllowed }),
      submitterOf: (jobId) => submitters.of(jobId),
      // Another project's CA has nothing to say in a federation that is not this dashboard's own.
      trustLists: adminKit === undefined ? kits.trustLists : { current: () => undefined, subscribe: () => () => {} },
      now,
      random: Math.random,
      logger,
    });
  const feed = new LiveFeed({ link, changes, now }, init.liveTimes);
  feed.start();
  link.start();
  return {
    link,
    feed,
    submitters,
    templates: new JobTemplates({ folder: init.templatesFolder ?? builtInTemplates }),
    transfers: await TransferFolder.open({ dataFolder }),
    async close() {
      feed.stop();
      await link.stop();
    },
  };
}
