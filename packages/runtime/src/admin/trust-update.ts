/** What came of a trust list that an admin has pushed. */
export interface TrustUpdate {
  /** Number of the list, which is in force now. */
  readonly number: number;
  /** `known` when it was in force already. */
  readonly outcome: "accepted" | "known";
  /** Names that this list revokes and the one before it did not, or not from this moment on. */
  readonly revoked: readonly string[];
  /** Live sessions that were ended. */
  readonly sessions: readonly { readonly name: string; readonly sessionId: string; readonly address: string }[];
  /** Connected sites at which the list is in force. */
  readonly acknowledged: readonly string[];
  /** Connected sites that have not said so yet. Those that are not connected get the list when they come. */
  readonly waiting: readonly string[];
}
