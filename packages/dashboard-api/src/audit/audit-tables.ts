/** An entry of the audit trail; rows are added only. */
export interface AuditTable {
  readonly id: string;
  /** Two entries of one dashboard never share a time, so that their order is known. */
  readonly at_ms: number;
  readonly actor: string;
  readonly actor_id: string | null;
  readonly action: string;
  readonly subject: string;
  readonly outcome: "done" | "refused";
  readonly address: string;
  /** JSON. */
  readonly facts: string;
}

/** Table of the audit trail. */
export interface AuditTables {
  readonly audit: AuditTable;
}
