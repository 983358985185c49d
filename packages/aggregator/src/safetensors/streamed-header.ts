import { checkLayout, type SafetensorsLayout } from "./layout.js";
import { parseHeaderText } from "./parse-header.js";
import { headerLength, prefixBytes } from "./read-header.js";

/** Room for the header of a small model; it grows with what arrives, not with what the first bytes claim. */
const leastBytes = 4096;

/**
 * The header of a safetensors file that arrives in chunks, cut anywhere. Data of any length may follow it, so the file is taken
 * to end where its last tensor does.
 */
export class StreamedHeader {
  readonly #label: string;
  #bytes = new Uint8Array(leastBytes);
  #filled = 0;
  #wanted = prefixBytes;

  /** @param label - how messages call the file */
  constructor(label: string) {
    this.#label = label;
  }

  /** Bytes that were taken so far. */
  get bytes(): number {
    return this.#filled;
  }

  /**
   * Takes as many of a chunk's bytes as belong to the header.
   *
   * @returns what the file holds, once the header is complete
   * @throws `aggregate/safetensors-header`, `aggregate/safetensors-dtype`, `aggregate/safetensors-offsets`, `aggregate/safetensors-limit`
   */
  take(chunk: Uint8Array): SafetensorsLayout | undefined {
    const before = this.#filled;
    let isComplete = this.#fill(chunk);
    if (isComplete && this.#wanted === prefixBytes) {
      this.#wanted += headerLength(this.#bytes.subarray(0, prefixBytes), Number.POSITIVE_INFINITY, this.#label);
      isComplete = this.#fill(chunk.subarray(this.#filled - before));
    }
    return isComplete ? this.#layout() : undefined;
  }

  #fill(chunk: Uint8Array): boolean {
    const end = this.#filled + Math.min(chunk.byteLength, this.#wanted - this.#filled);
    if (end > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.min(this.#wanted, Math.max(end, 2 * this.#bytes.byteLength)));
      larger.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = larger;
    }
    this.#bytes.set(chunk.subarray(0, end - this.#filled), this.#filled);
    this.#filled = end;
    return end === this.#wanted;
  }

  #layout(): SafetensorsLayout {
    const { entries, metadata } = parseHeaderText(this.#bytes.subarray(prefixBytes, this.#wanted), this.#label);
    const dataBytes = entries.reduce((most, { end }) => Math.max(most, end), 0);
    return checkLayout(entries, metadata, { file: this.#label, dataOffset: this.#wanted, totalBytes: this.#wanted + dataBytes });
  }
}
