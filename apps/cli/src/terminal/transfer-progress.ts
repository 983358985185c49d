import { barText } from "./progress-bar.js";
import { bytesText } from "./quantities.js";
import type { Terminal } from "./terminal.js";

/** How far a transfer is. */
export interface TransferProgress {
  readonly file: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Redraws the bar so often at most; more cannot be seen. */
const redrawMs = 50;

/** Draws a bar for a transfer on a terminal; draws nothing elsewhere, where the result is the line that counts. */
export function transferProgress(terminal: Terminal, verb: string): (progress: TransferProgress) => void {
  let drawnMs = 0;
  return ({ file, doneBytes, totalBytes }) => {
    const nowMs = performance.now();
    if (doneBytes < totalBytes && nowMs - drawnMs < redrawMs) return;
    drawnMs = nowMs;
    const size = `${bytesText(doneBytes)} of ${bytesText(totalBytes)}`;
    terminal.draw([`${verb} ${file}  ${terminal.colors.cyan(barText(doneBytes, totalBytes))}  ${size}`]);
  };
}
