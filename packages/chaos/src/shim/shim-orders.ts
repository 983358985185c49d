/** What the shim in the processes of a participant is told. */
export interface ShimOrders {
  /** By how much the clock is wrong; milliseconds. */
  readonly clockOffsetMs: number;
  /** Whether each write through `node:fs` fails with ENOSPC. */
  readonly isDiskFull: boolean;
}

/** Names the file with the orders, in the environment of the processes. */
export const ordersVariable = "FLARE_CHAOS_ORDERS";
