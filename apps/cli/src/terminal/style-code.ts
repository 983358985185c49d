const escape = String.fromCharCode(27);

/** A code for a colour or a weight, such as picocolors writes; splitting a text by it keeps the codes. */
export const styleCode = new RegExp(`(${escape}\\[[0-9;]*m)`);

/** Whether a part of a text that was split by `styleCode` is one. */
export function isStyleCode(part: string): boolean {
  return styleCode.test(part);
}
