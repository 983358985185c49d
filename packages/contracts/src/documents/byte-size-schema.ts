import { z } from "zod";

const unitBytes: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  Ki: 2 ** 10,
  MiB: 2 ** 20,
  Mi: 2 ** 20,
  GiB: 2 ** 30,
  Gi: 2 ** 30,
  TiB: 2 ** 40,
  Ti: 2 ** 40,
};

/** Bytes of a text such as `512MiB`, `512Mi`, `1.5 GB` or `1048576`; `undefined` for what is none. */
export function byteSizeOf(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = Object.hasOwn(unitBytes, unit) ? unitBytes[unit] : undefined;
  const bytes = factor === undefined || digits === "" ? Number.NaN : Math.round(Number(digits) * factor);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** A size as a person writes it, or a number of bytes; comes to bytes. */
export const byteSizeSchema = z
  .union([z.string(), z.number()], { error: "must be a size such as 512MiB or 10GB" })
  .transform((written, context) => {
    const bytes = byteSizeOf(String(written));
    if (bytes !== undefined) return bytes;
    context.addIssue({ code: "custom", message: "must be a size such as 512MiB or 10GB" });
    return z.NEVER;
  });

/** A size for a person, such as `512 MiB`: whole where it is whole, else with one digit. */
export function byteSizeText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const value = bytes / 2 ** (10 * power);
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[power]}`;
}
