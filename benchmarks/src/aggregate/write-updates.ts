import { join } from "node:path";
import { dtypeBytes, type TensorSpec, writeSafetensors } from "@flare-ts/aggregator";

/** Writes one file of random numbers in (-0.5, 0.5) for each client and gives their paths. */
export async function writeUpdates(folder: string, tensors: readonly TensorSpec[], clients: number): Promise<readonly string[]> {
  const paths = Array.from({ length: clients }, (_, client) => join(folder, `${client}.safetensors`));
  for (const [client, path] of paths.entries()) await writeSafetensors(path, tensors, chunks(tensors, client + 1), { isDurable: false });
  return paths;
}

function* chunks(tensors: readonly TensorSpec[], seed: number): Generator<Uint8Array> {
  let state = seed;
  for (const { dtype, shape } of tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (dtype !== "F32") {
      yield new Uint8Array(count * dtypeBytes[dtype]);
      continue;
    }
    const values = new Float32Array(Math.min(count, 262_144));
    for (let done = 0; done < count; done += values.length) {
      const some = Math.min(values.length, count - done);
      for (let i = 0; i < some; i++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
        values[i] = state / 2 ** 32;
      }
      yield new Uint8Array(values.buffer, 0, 4 * some);
    }
  }
}
