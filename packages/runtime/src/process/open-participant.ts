import { join } from "node:path";
import { type AuthorizationRequest, isAllowed, type PrivacyPolicy } from "@flare-ts/contracts";
import { type Kit, type LocalResources, readAuthorizationPolicy, readLocalResources, readPrivacyPolicy } from "@flare-ts/provision/kit";
import { Admission } from "../budget/admission.js";
import { DiskBudget } from "../budget/disk-budget.js";
import { type MemoryPlan, memoryOfMachine, planMemory, setByText } from "../budget/memory-plan.js";
import { ThreadLoad } from "../budget/thread-load.js";
import { FileModelStore } from "../store/file-model-store.js";
import { type OpenedKit, type OpenKitInit, openKit, type RunningKit } from "./open-kit.js";
import { wrongKit } from "./wrong-kit.js";

export interface OpenParticipantInit extends OpenKitInit {
  /** Whether clear text may leave this machine, where the kit says `clear`. @default false */
  readonly isClearAllowed?: boolean | undefined;
  /** Memory that all its processes may hold, at a site without trainers. @default `max_memory` of local/resources.json, or no limit */
  readonly maxMemoryBytes?: number | undefined;
  /** What its workspace may hold. @default `max_disk` of local/resources.json, or no limit */
  readonly maxDiskBytes?: number | undefined;
}

/** Asks a participant's own policy; the participant is the site that the policy speaks of, unless another is named. */
export type PolicyCheck = (request: Omit<AuthorizationRequest, "site"> & Partial<Pick<AuthorizationRequest, "site">>) => boolean;

/** What the parent process of a server and that of a site have in common. */
export interface Participant<Type extends "server" | "client"> extends OpenedKit {
  readonly resources: Extract<LocalResources, { type: Type }>;
  readonly modelsFolder: string;
  readonly models: FileModelStore;
  readonly isAllowed: PolicyCheck;
  /** A site's, where it has one. */
  readonly privacyPolicy: PrivacyPolicy | undefined;
  /** What its memory allows at once. */
  readonly plan: MemoryPlan;
  /** What its disk allows; `undefined` where no limit was set. */
  readonly disk: DiskBudget | undefined;
  /** Lets transfers in as both allow. */
  readonly admission: Admission;
}

/** Transfers at full speed that a server serves at once: more take turns at the same processor, and hold more memory. */
const busyTransfers = 4;

/**
 * Opens a kit as `openKit` does, with the model store and what memory and disk allow, and hands them to `start`.
 *
 * @throws FlareError as `openKit`, and what `start` throws.
 */
export async function openParticipant<Type extends "server" | "client", Running>(
  type: Type,
  init: OpenParticipantInit,
  start: (participant: Participant<Type>) => Promise<Running>,
): Promise<Running & RunningKit> {
  const read = async (kit: Kit) => {
    const [resources, policy, privacyPolicy] = await Promise.all([
      readLocalResources(kit),
      readAuthorizationPolicy(kit),
      readPrivacyPolicy(kit),
    ]);
    if (!isOfType(resources, type)) throw wrongKit(kit, type);
    const { maxMemoryBytes = resources.maxMemoryBytes, maxDiskBytes = resources.maxDiskBytes } = init;
    const plan = planMemory({ kind: type, maxBytes: maxMemoryBytes, machineBytes: memoryOfMachine() });
    return { resources, policy, privacyPolicy, plan, maxDiskBytes };
  };
  return await openKit(type, init, {
    read,
    start: async (opened, { resources, policy, privacyPolicy, plan, maxDiskBytes }) => {
      const { kit, workspace, logger, parts, now } = opened;
      const modelsFolder = join(workspace, "models");
      // A server's job processes are done with what the journal does not need any more. A trainer may have a model mapped into its memory for
      // as long as it runs.
      const models = await FileModelStore.open({ root: modelsFolder, reuse: type === "server" ? "all" : "unseen" });
      parts.add("spare files", async () => void (await models.releaseSpares()));
      const disk = maxDiskBytes === undefined ? undefined : new DiskBudget({ models }, { folder: workspace, maxBytes: maxDiskBytes });
      const steadyNow = (): number => performance.now();
      const load = new ThreadLoad();
      const admission = new Admission(
        { logger, now, steadyNow, disk, isThreadBusy: () => load.isBusy() },
        { most: plan.transfers, setBy: setByText(plan), ...(type === "server" ? { mostBusy: busyTransfers } : {}) },
      );
      const isAllowedHere: PolicyCheck = (request) => isAllowed(policy, { site: { org: kit.org }, ...request });
      const policies = { isAllowed: isAllowedHere, privacyPolicy };
      return await start({ ...opened, ...policies, resources, modelsFolder, models, plan, disk, admission });
    },
  });
}

function isOfType<Type extends "server" | "client">(
  resources: LocalResources,
  type: Type,
): resources is Extract<LocalResources, { type: Type }> {
  return resources.type === type;
}
