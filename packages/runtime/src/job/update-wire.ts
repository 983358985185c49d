import { type UpdateForm, updateForms } from "@flare-ts/contracts/job";

/** How an update was made smaller for the wire, and what that cost. */
export interface UpdateWire {
  readonly form: UpdateForm;
  /** Size of the update as the trainer made it. */
  readonly fullBytes: number;
  /** Euclidean norm of what was lost, over that of the update. */
  readonly relativeError: number;
  /** Largest difference of an element. */
  readonly largestError: number;
}

type Meta = Readonly<Record<string, unknown>>;

/** Name under which it stands among an update's further properties on its way from the site. */
const wireKey = "flare.wire";

/** Adds it to an update's properties. */
export function withWire(meta: Meta, wire: UpdateWire): Meta {
  return { ...meta, [wireKey]: wire };
}

/** Takes it out of an update's properties; what a site says wrongly of it counts as nothing. */
export function takeWire({ [wireKey]: said, ...meta }: Meta): { readonly meta: Meta; readonly wire?: UpdateWire } {
  return isWire(said) ? { meta, wire: { ...said } } : { meta };
}

function isWire(said: unknown): said is UpdateWire {
  if (typeof said !== "object" || said === null) return false;
  const { form, fullBytes, relativeError, largestError, ...rest } = said as Partial<Record<keyof UpdateWire, unknown>>;
  const isCount = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;
  const isForm = updateForms.some((name) => name === form);
  return isForm && [fullBytes, relativeError, largestError].every(isCount) && Object.keys(rest).length === 0;
}
