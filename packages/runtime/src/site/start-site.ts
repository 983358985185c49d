import { randomBytes, randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import type { PrivacyPolicy } from "@flare-ts/contracts";
import { limits } from "@flare-ts/contracts/errors";
import { type PrivacyScopes, PrivacyScopesSchema } from "@flare-ts/contracts/wire";
import { Admission } from "../budget/admission.js";
import { setByText } from "../budget/memory-plan.js";
import { clearAttachFolder } from "../executor/attach-folder.js";
import { endTrainersBelow } from "../executor/trainer-leftovers.js";
import { ProcessJobLauncher } from "../job-process/process-job-launcher.js";
import { type MachineResourcesInit, machineResources } from "../operate/machine-resources.js";
import { OwnProcess } from "../operate/own-process.js";
import type { RunningKit } from "../process/open-kit.js";
import { type OpenParticipantInit, openParticipant } from "../process/open-participant.js";
import { reusedRandomBytes } from "../process/reused-random-bytes.js";
import { ObjectRetention } from "../store/object-retention.js";
import { openSqliteSiteStore } from "../store/sqlite-site-store.js";
import { TransferClient } from "../transfer/transfer-client.js";
import { softwareVersion } from "../version.js";
import { JobAdmission } from "./job-admission.js";
import { JobPlaces } from "./job-places.js";
import { offeredResources } from "./offered-resources.js";
import { OutputSender } from "./output-sender.js";
import { PrivacyGate } from "./privacy-gate.js";
import { createRenewingLink } from "./renewing-link.js";
import { ResourcePool } from "./resource-pool.js";
import { ResultDelivery } from "./result-delivery.js";
import { holdSecureRounds } from "./secure-tasks.js";
import { SiteAgent } from "./site-agent.js";
import { SiteOperator } from "./site-operator.js";
import { SiteSecrets } from "./site-secrets.js";
import { SiteTrust } from "./site-trust.js";
import { TaskReporter } from "./task-reporter.js";

export interface StartSiteInit extends OpenParticipantInit {
  /** What makes no progress for so long is given up; milliseconds. @default that of local/resources.json */
  readonly stallMs?: number | undefined;
  /** Hears when a job process has begun, after which this process has nothing to do until the trainers are started. */
  readonly onJobBegun?: (() => void) | undefined;
}

/** A site that runs in this process. */
export interface RunningSite extends RunningKit {
  readonly name: string;
  /** Stops in an orderly way; what is under way goes on at the next start. */
  stop(): Promise<void>;
}

/**
 * Starts a site from its startup kit and resolves when it is attached to its server. From then on it comes back by itself
 * whenever the connection breaks.
 *
 * @throws FlareError what is wrong with the kit (`kit/…`), `runtime/already-running`, or why the server refuses (`auth/…`).
 */
export async function startSite(init: StartSiteInit): Promise<RunningSite> {
  return openParticipant("client", init, async (participant) => {
    const { kit, resources, workspace, modelsFolder, models, lock, logger, audit, isAllowed, parts, now, keeper } = participant;
    const { plan, disk, privacyPolicy, admission: transfersAllowed } = participant;
    const store = await openSqliteSiteStore({ path: join(workspace, "site.db") });
    parts.add("store", () => store.close());
    const retention = new ObjectRetention({ models, logger });
    // What a process that was killed had lent to its trainers; they are gone.
    const lentFolder = join(modelsFolder, "lent");
    await rm(lentFolder, { recursive: true, force: true });
    const { onJobBegun, stallMs = resources.stallMs } = init;
    const attachFolder = resources.attachFolder ?? join(workspace, "attach");
    await clearAttachFolder(attachFolder);
    // The same of trainers whose job may have ended meanwhile; this process alone has the workspace.
    await endTrainersBelow(workspace);
    const transfer = new TransferClient({ store: models, logger, admission: transfersAllowed }, { stallMs });
    const random = Math.random;
    const way = createRenewingLink(
      {
        ...participant,
        random,
        hello: () => ({
          softwareVersion,
          jobIds: agent.jobIds(),
          trustNumber: keeper.trust.number,
          resources: { gpus: offered.devices.length, memPerGpuGib: offered.memPerGpuGiB },
          allowsLogStreaming: output.allowsLogs,
          ...(privacyPolicy === undefined ? {} : { privacy: privacyToWire(privacyPolicy) }),
          inlineBytes: limits.inlineBytes,
          attachment: operator.attach(),
          nodeVersion: process.version,
        }),
        onMessage: ({ message, ...rest }) => {
          if (message.case === "trustList") void trust.take(message.value);
          else if (message.case === "command") void operator.hear(message.value);
          else agent.hear({ message, ...rest });
        },
        onContact: (contact) => lock.tell(contact),
      },
      { isClearAllowed: init.isClearAllowed },
    );
    const { link } = way;
    const reporter = new TaskReporter({ link, steadyNow: () => performance.now() });
    const secrets = new SiteSecrets({ environment: process.env }, { sources: resources.secrets });
    const delivery = new ResultDelivery({ link, transfer, models, store, retention, reporter, logger, random });
    const privacy = new PrivacyGate({ store, audit, logger, randomBytes: reusedRandomBytes() }, { site: kit.name, policy: privacyPolicy });
    const admission = new JobAdmission(
      { link, transfer, models, store, retention, audit, now, isAllowed, privacy },
      { site: kit.name, trust: keeper.trust },
    );
    const launcher = new ProcessJobLauncher({ environment: process.env, heapMiB: plan.jobHeapMiB });
    const memory = new Admission({ logger, now, steadyNow: () => performance.now() }, { most: plan.jobs, setBy: setByText(plan) });
    const offered = offeredResources({ logger, environment: process.env }, resources);
    const pool = new ResourcePool({ ...offered, site: kit.name });
    const places = new JobPlaces({ memory, resources: pool });
    const output = new OutputSender({ link, now }, { epoch: randomUUID(), allowsLogs: resources.allowsLogStreaming });
    parts.add("output", () => output.stop());
    const agent = new SiteAgent(
      {
        link,
        transfer,
        models,
        store,
        retention,
        delivery,
        admission,
        privacy,
        launcher,
        reporter,
        secrets,
        output,
        logger,
        places,
        disk,
        onJobBegun,
        identity: participant.opened.identity,
        now,
        randomBytes,
      },
      {
        site: kit.name,
        trust: keeper.trust,
        workspace,
        datasets: resources.datasets,
        updateForm: resources.updateForm,
        modelsFolder: lentFolder,
        stallMs,
        attachFolder,
      },
    );
    const { logLevel, end } = participant;
    const { maxBytes: maxMemoryBytes } = plan;
    const machine = (): MachineResourcesInit => ({ workspace, maxMemoryBytes, maxDiskBytes: disk?.maxBytes, ...pool.offer() });
    const own = new OwnProcess({ logLevel, resources: () => machineResources(machine()), end, logger }, { watch: init.watch });
    const operator = new SiteOperator(
      { link, own, drain: () => agent.stop(), audit, logger, now, isAllowed },
      { site: kit.name, trust: keeper.trust },
    );
    const trust = new SiteTrust({ keeper, link, agent, audit, logger });
    parts.add("trust", () => trust.settled());
    parts.add("jobs", () => agent.stop());
    parts.add("deliveries", () => delivery.stop());
    parts.add("link", () => link.stop());
    reporter.start();
    parts.add("reports", () => reporter.stop());

    await holdSecureRounds({ store, retention });
    await delivery.start();
    await way.start(init.signal);
    parts.add("renewal", () => way.renewal.stop());
    lock.update("ready");
    logger.info("site started", { site: kit.name, project: kit.project, server: `${kit.endpoint.host}:${kit.endpoint.port}` });
    return { name: kit.name };
  });
}

function privacyToWire({ scopes, defaultScope = "" }: PrivacyPolicy): PrivacyScopes {
  const secure = scopes.flatMap(({ name, secureAggregation }) =>
    secureAggregation === undefined ? [] : [[name, secureAggregation.minSites]],
  );
  return create(PrivacyScopesSchema, {
    names: scopes.map(({ name }) => name),
    defaultName: defaultScope,
    secureMinSites: Object.fromEntries(secure) as Record<string, number>,
  });
}
