import { FlareError } from "@flare-ts/contracts/errors";
import type { LentRows } from "../device/combine-device.js";
import { BufferPool } from "./buffer-pool.js";
import { firstLine, underErrorScopes, type Verdict } from "./error-scopes.js";
import type { TileKernel } from "./kernels/tile-kernel.js";
import { LentTile } from "./lent-tile.js";
import { bytesOf, mostBytesOfSettings, type TileCall, type TileCallBytes, writeSettings, writeValues } from "./tile-call.js";

/** Calls that have buffers on the device at once: one is uploaded, one is computed, one is read back. Others wait. */
const callsAtOnce = 3;
/** Largest part of a buffer that a kernel may see, which WebGPU grants everywhere without being asked. */
const maxBufferBytes = 128 * 2 ** 20;

// Numbers that the specification of WebGPU fixes; its namespaces are not on every host.
const mapRead = 0x1;
const mapWrite = 0x2;
const stagedUsage = mapWrite | 0x4;
const inputUsage = 0x80 | 0x8;
const resultUsage = 0x80 | 0x4;
const readableUsage = mapRead | 0x8;

interface CallBuffers {
  /** Values and settings as the CPU writes them, where the GPU can fetch them. Mapped between calls. */
  readonly staged: GPUBuffer;
  readonly inputs: GPUBuffer;
  readonly settings: GPUBuffer;
  readonly results: GPUBuffer;
  readonly readable: GPUBuffer;
}

/**
 * Runs kernels on a device, several calls at once. Buffers go from call to call, and are destroyed by `rest`: on an H200,
 * fresh ones cost 10 ms for 32 MiB and their results, 300 times as much as the kernel.
 *
 * Values go through buffers that are mapped, at 12 GB/s there; `writeBuffer` makes a fresh one inside each time, at 2 to 3 GB/s, and
 * takes the device for lost when there is no room for that.
 */
export class TileRunner {
  readonly #device: GPUDevice;
  readonly #name: string;
  readonly #pool: BufferPool;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  /** Calls, and rows that are lent: the device is not given back under them. */
  readonly #underWay = new Set<Promise<unknown>>();
  /** By their first rows. */
  readonly #lent = new WeakMap<Float32Array, LentTile>();
  readonly #waiting: (() => void)[] = [];
  #computing = 0;
  #lost: FlareError | undefined;

  /** @param name - of the device, for messages */
  constructor(device: GPUDevice, name: string) {
    this.#device = device;
    this.#name = name;
    this.#pool = new BufferPool(device, callsAtOnce);
    void device.lost.then(({ message }) => this.#lose(firstLine(message)));
  }

  /** Rows for a tile, which `run` takes over without a copy; `undefined` where there is no room for them. @throws `aggregate/device-lost` */
  async lend(updates: number, elements: number): Promise<LentRows | undefined> {
    if (this.#lost !== undefined) throw this.#lost;
    const bytes = Float32Array.BYTES_PER_ELEMENT * updates * elements + mostBytesOfSettings(updates, elements);
    if (bytes > maxBufferBytes) return undefined;
    const taken = await this.#takeAll(() => ({ staged: this.#pool.take(bytes, stagedUsage) }));
    if ("verdict" in taken) {
      if (taken.verdict.kind === "no-memory") return undefined;
      throw this.#lossOf(taken.verdict);
    }
    const lent = new LentTile(taken.buffers.staged, updates, elements);
    this.#underWay.add(lent.released);
    void lent.released.then(() => this.#underWay.delete(lent.released));
    const [first] = lent.values;
    if (first !== undefined) this.#lent.set(first, lent);
    return lent;
  }

  /** Gives what the kernel wrote. @throws `aggregate/device-memory`, `aggregate/device-lost` */
  async run(call: TileCall): Promise<ArrayBuffer> {
    const running = this.#inTurn(call);
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  /** Destroys the buffers that no call is using. */
  rest(): void {
    this.#pool.empty();
  }

  /** Refuses what comes and what waits, lets what runs end, and gives the device back. */
  async close(): Promise<void> {
    this.#lose("It was closed.");
    await Promise.allSettled(this.#underWay);
    this.#pool.empty();
    this.#device.destroy();
  }

  async #inTurn(call: TileCall): Promise<ArrayBuffer> {
    const bytes = bytesOf(call);
    if (Math.max(...Object.values(bytes)) > maxBufferBytes) throw this.#noRoom(bytes);
    if (this.#computing < callsAtOnce) this.#computing += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await this.#compute(call);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#computing -= 1;
      else next();
    }
  }

  async #compute(call: TileCall): Promise<ArrayBuffer> {
    if (this.#lost !== undefined) throw this.#lost;
    const pipeline = await this.#pipelineOf(call.kernel);
    const lent = this.#lentFor(call);
    // Rows that are lent have no length any more once the GPU has them.
    const bytes = bytesOf(call);
    const buffers = await this.#takeBuffers(bytes, lent);
    let result: ArrayBuffer | undefined;
    const verdict = await underErrorScopes(this.#device, async () => {
      this.#stage(call, bytes, buffers.staged, lent);
      this.#submit(call, bytes, pipeline, buffers);
      // The GPU has taken what was staged by the time that results can be read.
      await Promise.all([buffers.readable.mapAsync(mapRead, 0, call.resultBytes), buffers.staged.mapAsync(mapWrite)]);
      result = copied(buffers.readable.getMappedRange(0, call.resultBytes), call.into);
      buffers.readable.unmap();
    });
    if (verdict.kind === "done" && result !== undefined) {
      for (const buffer of Object.values(buffers)) this.#pool.giveBack(buffer);
      return result;
    }
    for (const buffer of Object.values(buffers)) buffer.destroy();
    // What waits for later calls may be what there was no room for.
    this.#pool.empty();
    throw this.#failure(verdict, bytes);
  }

  #lentFor({ values }: TileCall): LentTile | undefined {
    const [first] = values;
    const lent = first === undefined ? undefined : this.#lent.get(first);
    return lent?.isIn(values) === true ? lent : undefined;
  }

  /** Takes all that a call needs before anything is done with it: a lent tile whose call finds no room is still there. */
  async #takeBuffers(bytes: TileCallBytes, lent: LentTile | undefined): Promise<CallBuffers> {
    const taken = await this.#takeAll(() => ({
      inputs: this.#pool.take(bytes.inputs, inputUsage),
      settings: this.#pool.take(bytes.settings, inputUsage),
      results: this.#pool.take(bytes.results, resultUsage),
      readable: this.#pool.take(bytes.results, readableUsage),
      ...(lent === undefined ? { staged: this.#pool.take(bytes.inputs + bytes.settings, stagedUsage) } : {}),
    }));
    if ("verdict" in taken) throw this.#failure(taken.verdict, bytes);
    return { staged: lent?.staged as GPUBuffer, ...taken.buffers };
  }

  /** What was taken, or why it was not. */
  async #takeAll<Buffers extends Readonly<Record<string, GPUBuffer>>>(
    take: () => Buffers,
  ): Promise<{ readonly buffers: Buffers } | { readonly verdict: Verdict }> {
    let buffers: Buffers | undefined;
    const verdict = await underErrorScopes(this.#device, async () => {
      buffers = take();
    });
    if (verdict.kind === "done" && buffers !== undefined) return { buffers };
    for (const buffer of Object.values(buffers ?? {})) buffer.destroy();
    this.#pool.empty();
    return { verdict };
  }

  /** Puts values and settings where the GPU fetches them; they cannot be written to after that. */
  #stage(call: TileCall, { inputs, settings }: TileCallBytes, staged: GPUBuffer, lent: LentTile | undefined): void {
    const range = lent?.range ?? staged.getMappedRange(0, inputs + settings);
    if (lent === undefined) writeValues(call, range);
    writeSettings(call, range);
    lent?.take();
    staged.unmap();
  }

  #submit(
    call: TileCall,
    bytes: TileCallBytes,
    pipeline: GPUComputePipeline,
    { staged, inputs, settings, results, readable }: CallBuffers,
  ): void {
    const entries = [
      { binding: 0, resource: { buffer: inputs, size: bytes.inputs } },
      { binding: 1, resource: { buffer: settings, size: bytes.settings } },
      { binding: 2, resource: { buffer: results, size: bytes.results } },
    ];
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(staged, 0, inputs, 0, bytes.inputs);
    encoder.copyBufferToBuffer(staged, bytes.inputs, settings, 0, bytes.settings);
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...call.workgroups);
    pass.end();
    encoder.copyBufferToBuffer(results, 0, readable, 0, bytes.results);
    this.#device.queue.submit([encoder.finish()]);
  }

  #pipelineOf(kernel: TileKernel): Promise<GPUComputePipeline> {
    const made = this.#pipelines.get(kernel.key) ?? this.#compile(kernel);
    this.#pipelines.set(kernel.key, made);
    return made;
  }

  async #compile({ key, text }: TileKernel): Promise<GPUComputePipeline> {
    let pipeline: GPUComputePipeline | undefined;
    const verdict = await underErrorScopes(this.#device, async () => {
      const module = this.#device.createShaderModule({ label: key, code: text() });
      pipeline = await this.#device.createComputePipelineAsync({ layout: "auto", compute: { module } });
    });
    if (pipeline !== undefined) return pipeline;
    throw this.#lose(`It refused the kernel ${key}${verdict.kind === "refused" ? `: ${verdict.reason}` : ", for want of memory"}.`);
  }

  #lose(reason: string): FlareError {
    this.#lost ??= new FlareError("aggregate/device-lost", `The device ${this.#name} does not compute any more: ${reason}`, {
      facts: { device: this.#name },
    });
    return this.#lost;
  }

  #failure(verdict: Verdict, bytes: TileCallBytes): FlareError {
    return verdict.kind === "no-memory" ? this.#noRoom(bytes) : this.#lossOf(verdict);
  }

  #lossOf(verdict: Verdict): FlareError {
    return this.#lose(verdict.kind === "refused" ? verdict.reason : "It gave nothing.");
  }

  #noRoom({ inputs, results }: TileCallBytes): FlareError {
    return new FlareError("aggregate/device-memory", `The device ${this.#name} has no room for ${inputs + 2 * results} bytes at once.`, {
      facts: { device: this.#name, bytes: inputs + 2 * results },
    });
  }
}

/** Mapped bytes are gone once they are unmapped; a fresh copy costs several times as much as one into memory that is in use. */
function copied(range: ArrayBuffer, into: ArrayBuffer | undefined): ArrayBuffer {
  if (into === undefined || into.byteLength < range.byteLength) return range.slice(0);
  new Uint8Array(into).set(new Uint8Array(range));
  return into;
}
