import type { ModelStore, ObjectRef } from "./model-store.js";

/** A small object of the store in memory. @throws FlareError `transfer/object-missing` */
export async function readWhole(models: Pick<ModelStore, "read">, { hash }: ObjectRef): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of models.read(hash, 0)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
