import type { ReceiptVerdict } from "../receipt/round-receipt.js";
import type { SignedReceipt } from "../receipt/signed-receipt.js";

/** The receipts of a job's rounds, as the server has them, and what each is worth. */
export interface JobReceipts {
  readonly receipts: readonly SignedReceipt[];
  /** One for each receipt, in the same order. */
  readonly verdicts: readonly ReceiptVerdict[];
}
