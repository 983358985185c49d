import type { AuditLog } from "../logging/audit-log.js";
import { capPeerText, type Logger } from "../logging/logger.js";
import type { Audit, WhereFrom } from "../session/auth-event.js";
import { quotePeerText } from "../session/peer-text.js";

/** Writes what happens to sessions to the audit log, and refusals to the log besides. */
export function auditSessions(components: {
  readonly audit: AuditLog;
  readonly logger: Logger;
  readonly onEnded: (sessionId: string) => void;
}): Audit {
  const { audit, logger, onEnded } = components;
  return (event) => {
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
}

function placeOf({ address, claimedAddress }: WhereFrom): { readonly [key: string]: string } {
  return claimedAddress === undefined ? { address } : { address, claimed_address: quotePeerText(claimedAddress) };
}
