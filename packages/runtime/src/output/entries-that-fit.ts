import { limits } from "@flare-ts/contracts";

/** Several of these stand in one message, beside other things. */
const mostBytes = limits.controlMessageBytes / 4;

/** The first of some entries, as many as one message has room for; one in any case. */
export function entriesThatFit<Entry>(entries: readonly Entry[]): readonly Entry[] {
  let bytes = 0;
  const first = entries.findIndex((entry, i) => {
    bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
    return i > 0 && bytes > mostBytes;
  });
  return first < 0 ? entries : entries.slice(0, first);
}
