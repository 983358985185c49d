/** As Node had it before version 26. */
const poolBytes = 8 * 1024;

/**
 * Cuts the small buffers of this process from small pools. One buffer that stays keeps the whole pool that it was cut from, and Node 26 has pools of
 * 64 KiB: a server with 32 sites came to hold 400 of them.
 */
export function useSmallPools(): void {
  Buffer.poolSize = poolBytes;
}
