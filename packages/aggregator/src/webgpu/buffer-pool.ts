/** Of `GPUBufferUsage`: the CPU writes to it. */
const mapWrite = 0x2;

/** Buffers of a device that go from call to call. */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #idle = new Map<string, GPUBuffer[]>();
  readonly #maxIdle: number;

  /** @param maxIdle - buffers that may wait for each use; a fresh 64 MiB cost 40 ms instead of 7 on a software device */
  constructor(device: GPUDevice, maxIdle: number) {
    this.#device = device;
    this.#maxIdle = maxIdle;
  }

  /**
   * A buffer of at least so many bytes, mapped if it is one to write to; what it holds is anything. Whether there was room for it,
   * an error scope says.
   */
  take(bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    const size = sizeClass(bytes);
    const idle = this.#idleOf(usage);
    const at = idle.findIndex((buffer) => buffer.size === size);
    const [found] = at < 0 ? [] : idle.splice(at, 1);
    return found ?? this.#device.createBuffer({ size, usage, mappedAtCreation: (usage & mapWrite) !== 0 });
  }

  /** Takes a buffer back for the next call; those that have waited longest are destroyed. */
  giveBack(buffer: GPUBuffer): void {
    const idle = this.#idleOf(buffer.usage);
    idle.push(buffer);
    if (idle.length > this.#maxIdle) idle.shift()?.destroy();
  }

  /** Destroys the buffers that wait. */
  empty(): void {
    for (const idle of this.#idle.values()) for (const buffer of idle) buffer.destroy();
    this.#idle.clear();
  }

  #idleOf(usage: GPUBufferUsageFlags): GPUBuffer[] {
    const key = String(usage);
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    return idle;
  }
}

/** Rounds up by at most an eighth, so that tiles of nearly one size share buffers. */
function sizeClass(bytes: number): number {
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(bytes)) - 3));
  return Math.ceil(bytes / step) * step;
}
