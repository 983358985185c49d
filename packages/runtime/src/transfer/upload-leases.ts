import { limits } from "@flare-ts/contracts";
import type { Admission, Admitted } from "../budget/admission.js";
import type { ObjectRef } from "../store/model-store.js";

/**
 * Lets uploads in where their sender asks how far they are, which comes before each: there it waits without having sent anything. Who was
 * let in and does not come within `limits.silenceMs` has to ask again.
 */
export class UploadLeases {
  readonly #admission: Admission | undefined;
  readonly #granted = new Map<string, { readonly admitted: Admitted; readonly timer: NodeJS.Timeout }>();

  constructor(components: { readonly admission?: Admission | undefined }) {
    this.#admission = components.admission;
  }

  /** Waits for room and keeps it for the upload that follows. */
  async grant(who: string, object: ObjectRef, diskBytes: number, signal: AbortSignal): Promise<void> {
    const key = keyOf(who, object);
    if (this.#admission === undefined || isSmall(object) || this.#granted.has(key)) return;
    const admitted = await this.#admission.enter({ who, what: "upload", diskBytes }, signal);
    // Two that asked at once need no more room than one.
    this.#end(key);
    const timer = setTimeout(() => this.#end(key), limits.silenceMs);
    timer.unref();
    this.#granted.set(key, { admitted, timer });
  }

  /** What was granted, or what is granted now; `undefined` for what is too small to count. */
  async take(who: string, object: ObjectRef, diskBytes: number, signal: AbortSignal): Promise<Admitted | undefined> {
    if (isSmall(object)) return undefined;
    const key = keyOf(who, object);
    const granted = this.#granted.get(key);
    if (granted === undefined) return await this.#admission?.enter({ who, what: "upload", diskBytes }, signal);
    clearTimeout(granted.timer);
    this.#granted.delete(key);
    return granted.admitted;
  }

  #end(key: string): void {
    const granted = this.#granted.get(key);
    if (granted === undefined) return;
    clearTimeout(granted.timer);
    this.#granted.delete(key);
    granted.admitted.leave();
  }
}

/** One chunk is held in memory anyway, and lines are long: what is small must not wait for what is large. */
export function isSmall({ size }: ObjectRef): boolean {
  return size <= limits.chunkBytes;
}

function keyOf(who: string, { hash }: ObjectRef): string {
  return `${who} ${hash}`;
}
