/** What `probeProgram` answers. */
export type DriverTrial =
  | { readonly kind: "works"; readonly isSoftware: boolean }
  | { readonly kind: "no-adapter" }
  | { readonly kind: "load-failed"; readonly reason: string }
  | { readonly kind: "driver-failed"; readonly reason: string };

/** Loads the package `webgpu` from `argument.url` and has the GPU compute one number; a program for `probeInChild`. */
export const probeProgram = `
const kernel = "@group(0) @binding(0) var<storage, read_write> results: array<u32>; @compute @workgroup_size(1) fn main() { results[0] = 6u * results[1]; }";

async function tryDriver() {
  try {
    // Must not be collected as garbage.
    globalThis.gpu = (await import(argument.url)).create([]);
  } catch (cause) {
    return { kind: "load-failed", reason: cause.message };
  }
  const adapter = await globalThis.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) return { kind: "no-adapter" };
  try {
    const device = await adapter.requestDevice();
    const computed = await compute(device);
    device.destroy();
    if (computed !== 42) return { kind: "driver-failed", reason: "it computed " + computed + " instead of 42" };
    return { kind: "works", isSoftware: adapter.info.isFallbackAdapter === true };
  } catch (cause) {
    return { kind: "driver-failed", reason: cause.message.split("\\n", 1)[0] };
  }
}

async function compute(device) {
  const results = device.createBuffer({ size: 8, usage: 0x80 | 0x4 | 0x8 });
  const readable = device.createBuffer({ size: 4, usage: 0x1 | 0x8 });
  device.queue.writeBuffer(results, 4, Uint32Array.of(7));
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module: device.createShaderModule({ code: kernel }) } });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: results } }] }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(results, 0, readable, 0, 4);
  device.queue.submit([encoder.finish()]);
  await readable.mapAsync(0x1);
  return new Uint32Array(readable.getMappedRange())[0];
}

answer(await tryDriver());
`;
