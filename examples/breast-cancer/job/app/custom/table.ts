import { readFileSync } from "node:fs";

/** Measurements of one biopsy, and whether the tumour was benign (1) or malignant (0). */
export interface Row {
  readonly features: readonly number[];
  readonly benign: number;
}

/** Names of the 30 measurements, in the order of the model's tensors. */
export const featureNames: readonly string[] = ["mean", "se", "worst"].flatMap((kind) =>
  [
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave_points",
    "symmetry",
    "fractal_dimension",
  ].map((measurement) => `${measurement}_${kind}`),
);

/** Reads a table of biopsies. @throws Error that names file, line and column of what is wrong */
export function readTable(file: string): readonly Row[] {
  return parseTable(readFileSync(file, "utf8"), file);
}

/** The rows of a table in CSV. @throws as `readTable` */
export function parseTable(text: string, file: string): readonly Row[] {
  const [header = "", ...lines] = text.trimEnd().split("\n");
  const wanted = [...featureNames, "benign"];
  if (header !== wanted.join(",")) throw new Error(`${file}: the columns must be ${wanted.join(",")}`);
  return lines.map((line, index) => {
    const values = line.split(",").map(Number);
    const wrong = wanted.findIndex((_, column) => !Number.isFinite(values[column]));
    if (values.length !== wanted.length || wrong >= 0)
      throw new Error(`${file}:${index + 2}: ${wanted[wrong] ?? "a value"} is not a number`);
    return { features: values.slice(0, -1), benign: values.at(-1) ?? 0 };
  });
}
