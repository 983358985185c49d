import { FlareError } from "@flare-ts/contracts";
import type { ParamsType } from "../aggregation-engine.js";
import type { ByteSource } from "../byte-source.js";
import type { SafetensorsLayout } from "../safetensors/layout.js";
import type { NamedContributor } from "./accepted-update.js";
import type { ModelIndex } from "./match-layout.js";
import type { StoredTensors } from "./stored-tensor.js";

/** What a file of sums says of itself; it has to be the same wherever sums go together. */
export interface SumsHeading {
  readonly strategy: string;
  readonly paramsType: ParamsType;
  /** Grid of each tensor of the model, in its order; 0 for integers. */
  readonly gridBits: readonly number[];
}

/** Metadata of a file of sums. */
const sumsKey = "flare.sums";

/** Bits that one term may have, and grid steps beyond which a sum of so many terms cannot be. */
const termUpper = 2 ** 51 / 2 ** 32;

/** The metadata of a file of sums. */
export function sumsMetadata(
  { tensors }: ModelIndex,
  heading: SumsHeading,
  contributors: readonly NamedContributor[],
): Readonly<Record<string, string>> {
  const named = contributors.map(({ absent, ...each }) => ({ ...each, absent: [...absent].map((tensor) => tensors[tensor]?.name ?? "") }));
  return { [sumsKey]: JSON.stringify({ ...heading, contributors: named }) };
}

/** Reads who is in a file of sums. @throws `aggregate/sums-invalid` where it does not go with the heading */
export function readSumsMetadata(
  { metadata }: SafetensorsLayout,
  model: ModelIndex,
  wanted: SumsHeading,
  file: string,
): readonly NamedContributor[] {
  const invalid = (what: string): never => {
    throw new FlareError("aggregate/sums-invalid", `${file} ${what}.`, { facts: { file } });
  };
  const text = metadata[sumsKey];
  if (text === undefined) return invalid("holds no sums: its metadata lacks " + sumsKey);
  let given: Partial<SumsHeading> & { readonly contributors?: unknown };
  try {
    given = JSON.parse(text) as typeof given;
  } catch {
    return invalid(`has ${sumsKey} that is not JSON`);
  }
  for (const key of ["strategy", "paramsType", "gridBits"] as const) {
    if (JSON.stringify(given[key]) !== JSON.stringify(wanted[key])) return invalid(`was made with another ${key}`);
  }
  if (!Array.isArray(given.contributors) || given.contributors.length === 0) return invalid("names no contributors");
  return given.contributors.map((each: Readonly<Record<string, unknown>>) => {
    const { contributor, factor, weight, norm, tensors, bytes, absent } = each;
    const numbers = [factor, weight, norm, tensors, bytes];
    if (typeof contributor !== "string" || !numbers.every((number) => typeof number === "number" && Number.isFinite(number))) {
      return invalid("describes a contributor wrongly");
    }
    if (!Array.isArray(absent) || !absent.every((name) => typeof name === "string" && model.indexOf.has(name))) {
      return invalid("names absent tensors that the model does not have");
    }
    return {
      contributor,
      absent: new Set(absent.map((name: string) => model.indexOf.get(name) ?? -1)),
      factor,
      weight,
      norm,
      tensors,
      bytes,
    } as NamedContributor;
  });
}

/** Refuses sums that so many contributors cannot have made, which might wrap around later. @throws `aggregate/sums-invalid` */
export async function checkSums(source: ByteSource, stored: StoredTensors, { tensors }: ModelIndex, contributors: number): Promise<void> {
  const buffer = new Uint8Array(2 ** 20);
  for (const [index, tensor] of stored.entries()) {
    const elements = tensors[index] === undefined ? 0 : tensors[index].shape.reduce((product, size) => product * size, 1);
    if (tensor?.kind !== "plain") continue;
    for (let done = 0; done < elements; ) {
      const some = Math.min(buffer.byteLength / 8, elements - done);
      await source.read(buffer.subarray(0, 8 * some), tensor.offset + 8 * done);
      const halves = new Int32Array(buffer.buffer, 0, 2 * some);
      for (let i = 1; i < halves.length; i += 2) {
        if (Math.abs(halves[i] as number) <= contributors * termUpper) continue;
        const name = tensors[index]?.name ?? "";
        throw new FlareError(
          "aggregate/sums-invalid",
          `${source.label} holds a sum in ${name} that ${contributors} contributors cannot have made.`,
          {
            facts: { file: source.label, tensor: name },
          },
        );
      }
      done += some;
    }
  }
}
