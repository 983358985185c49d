import { globals } from "webgpu";

/** Eyes and hands at the border to the package `webgpu`, for all devices of this process. */
export interface GpuBuffers {
  /** Bytes of buffers that were made and not destroyed. */
  readonly heldBytes: number;
  /** The most that there were at once since this was last set. */
  mostBytes: number;
  /** Every buffer of the GPU alone is asked for with so many bytes, whatever is asked for. */
  forcedBytes: number | undefined;
  /** The device that made the last buffer. */
  readonly lastDevice: GPUDevice | undefined;
}

/** Watches buffers from now on. Devices that are opened from now on may have buffers of 1 GiB. */
export function watchGpuBuffers(): GpuBuffers {
  const { GPUAdapter, GPUBuffer, GPUDevice } = globals as Record<"GPUAdapter" | "GPUBuffer" | "GPUDevice", { prototype: object }>;
  const live = new Map<GPUBuffer, number>();
  const watch = {
    mostBytes: 0,
    forcedBytes: undefined as number | undefined,
    lastDevice: undefined as GPUDevice | undefined,
    get heldBytes() {
      return [...live.values()].reduce((sum, bytes) => sum + bytes, 0);
    },
  };
  wrap(GPUAdapter.prototype as GPUAdapter, "requestDevice", (request) => (given) => {
    return request({ ...given, requiredLimits: { ...given?.requiredLimits, maxBufferSize: 2 ** 30 } });
  });
  wrap(GPUDevice.prototype as GPUDevice, "createBuffer", (create, device) => (given) => {
    watch.lastDevice = device;
    const buffer = create({ ...given, size: given.mappedAtCreation === true ? given.size : (watch.forcedBytes ?? given.size) });
    live.set(buffer, given.size);
    watch.mostBytes = Math.max(watch.mostBytes, watch.heldBytes);
    return buffer;
  });
  wrap(GPUBuffer.prototype as GPUBuffer, "destroy", (destroy, buffer) => () => {
    live.delete(buffer);
    return destroy();
  });
  return watch;
}

function wrap<Owner extends object, Name extends keyof Owner>(
  prototype: Owner,
  name: Name,
  around: (original: Owner[Name], owner: Owner) => Owner[Name],
): void {
  const original = prototype[name] as (...given: unknown[]) => unknown;
  prototype[name] = function (this: Owner, ...given: unknown[]): unknown {
    return (around(original.bind(this) as Owner[Name], this) as (...given: unknown[]) => unknown)(...given);
  } as Owner[Name];
}
