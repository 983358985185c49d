import { bytesSource } from "../byte-source.js";
import type { TensorPlace } from "../safetensors/layout.js";
import type { Piece } from "../session/batches.js";
import type { StoredTensor, StoredTensors } from "../session/stored-tensor.js";
import type { UpdateContent } from "../session/update-content.js";
import { dtypeBytes, isFloatDtype } from "../tensor.js";

/** The integer tensors of an update, which are few and small and are combined at the end. */
export class KeptIntegers {
  readonly #model: readonly TensorPlace[];
  readonly #tensors = new Map<number, Uint8Array>();

  constructor(model: readonly TensorPlace[]) {
    this.#model = model;
  }

  /** Copies the elements of a piece, with which `bytes` begins. */
  take({ tensor, dtype, firstElement, count }: Piece, bytes: Uint8Array): void {
    let kept = this.#tensors.get(tensor);
    if (kept === undefined) {
      kept = new Uint8Array(this.#model[tensor]?.byteLength ?? 0);
      this.#tensors.set(tensor, kept);
    }
    kept.set(bytes.subarray(0, count * dtypeBytes[dtype]), firstElement * dtypeBytes[dtype]);
  }

  /**
   * The update as sessions know it, with integers alone: floating tensors are in it as sent, and their bytes are not.
   *
   * @param sent - the model's tensors that the update has
   */
  keep(label: string, sent: ReadonlySet<number>): { readonly content: UpdateContent; readonly stored: StoredTensors } {
    const total = [...this.#tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const bytes = new Uint8Array(total);
    let offset = 0;
    const stored = this.#model.map(({ dtype }, tensor): StoredTensor | undefined => {
      if (!sent.has(tensor)) return undefined;
      const kept = isFloatDtype(dtype) ? undefined : this.#tensors.get(tensor);
      const place = { kind: "plain", dtype, offset } as const;
      if (kept !== undefined) {
        bytes.set(kept, offset);
        offset += kept.byteLength;
      }
      return place;
    });
    return { content: { open: async () => bytesSource(bytes, label), release: async () => {} }, stored };
  }
}
