import type { AuditLog } from "../logging/audit-log.js";
import { capPeerText, type Logger } from "../logging/logger.js";
import type { Audit, WhereFrom } from "../session/auth-event.js";
import { quotePeerText } from "../session/peer-text.js";
import { RefusalSampler } from "./refusal-sampler.js";

export interface SessionAudit {
  readonly audit: Audit;
  /** Writes how many refusals were not told one by one, once a minute is over, or at once. */
  tellRest(isForced?: boolean): void;
}

/** Writes what happens to sessions to the audit log, and refusals to the log besides; a flood of refusals is counted and not told one by one. */
export function auditSessions(components: {
  readonly audit: AuditLog;
  readonly logger: Logger;
  readonly onEnded: (sessionId: string) => void;
  readonly now: () => number;
}): SessionAudit {
  const { audit, logger, onEnded } = components;
  const sampler = new RefusalSampler(components);
  const tellRest = (isForced?: boolean): void => {
    for (const { step, code, count, sinceMs } of sampler.turn(isForced)) {
      const since = new Date(sinceMs).toISOString();
      audit.write({
        who: "strangers",
        action: step,
        outcome: "refused",
        code,
        reason: `${count} more since ${since}`,
        facts: { count, since },
      });
      logger.warn("peers refused", { step, code, count, since });
    }
  };
  const write: Audit = (event) => {
    switch (event.kind) {
      case "registered":
      case "renewed":
        audit.write({
          who: event.name,
          action: `session_${event.kind}`,
          outcome: "allowed",
          facts: { session: event.sessionId, ...placeOf(event), fingerprint: event.fingerprint },
        });
        return;
      case "ended":
        onEnded(event.sessionId);
        audit.write({
          who: event.name,
          action: "session_ended",
          outcome: "allowed",
          reason: event.reason,
          facts: { session: event.sessionId, ...placeOf(event) },
        });
        return;
      case "refused": {
        tellRest();
        if (!sampler.isTold(event)) return;
        const who = event.claimedName ?? "stranger";
        audit.write({
          who,
          action: event.step,
          outcome: "refused",
          code: event.code,
          reason: event.reason,
          facts: placeOf(event),
        });
        logger.warn("peer refused", {
          who: capPeerText(who),
          step: event.step,
          code: event.code,
          reason: capPeerText(event.reason),
          ...placeOf(event),
        });
        return;
      }
    }
  };
  return { audit: write, tellRest };
}

function placeOf({ address, relay, claimedAddress }: WhereFrom): { readonly [key: string]: string } {
  return {
    address,
    ...(relay === undefined ? {} : { relay }),
    ...(claimedAddress === undefined ? {} : { claimed_address: quotePeerText(claimedAddress) }),
  };
}
