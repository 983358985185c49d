import type { Turns } from "@flare-ts/contracts";
import type { FastifyBaseLogger } from "fastify";
import type { AuditLog } from "../audit/audit-log.js";
import type { BackgroundTasks } from "../background-tasks.js";
import type { Changes } from "../changes.js";
import type { Database } from "../db/tables.js";
import type { RandomBytes } from "../secrets/tokens.js";
import type { CaPassphrase } from "./ca-passphrase.js";
import type { CaWorkspace } from "./ca-workspace.js";
import type { TrustLists } from "./trust-lists.js";

/** What everything about kits is made from. */
export interface KitParts {
  readonly db: Database;
  readonly now: () => number;
  readonly randomBytes: RandomBytes;
  readonly logger: FastifyBaseLogger;
  readonly audit: AuditLog;
  readonly changes: Changes;
  readonly tasks: BackgroundTasks;
  readonly workspace: CaWorkspace;
  readonly passphrase: CaPassphrase;
  readonly trustLists: TrustLists;
  /** Whatever uses the CA waits here for its turn. */
  readonly turns: Turns;
  /** Where the dashboard's own kits are, each in a folder named after its id. */
  readonly consoleFolder: string;
  /** Whether the federation that is watched was provisioned elsewhere: it has its CA there, and gets no kits from here. */
  readonly isElsewhere: boolean;
}
