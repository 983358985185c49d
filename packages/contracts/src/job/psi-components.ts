import { z } from "zod";
import type { ComponentClass } from "./component.js";
import { jobPathSchema } from "./job-path.js";

/** FLARE's algorithm, which names what has the site's identifiers. */
export interface PsiHandler {
  readonly kind: "psi-handler";
  readonly localPsiId: string;
}

/** FLARE's writer of an intersection. */
export interface PsiWriter {
  readonly kind: "psi-writer";
  readonly outputPath: string;
}

/** Identifiers in a column of a CSV file that the site's operator offers. */
export interface CsvItems {
  readonly kind: "csv-items";
  readonly dataset: string;
  readonly column: string;
  readonly delimiter: string;
  /** The writer that says where the intersection goes; `undefined`: to `defaultPsiPath`. */
  readonly writerId: string | undefined;
}

export type PsiComponent = PsiHandler | PsiWriter | CsvItems;

/** Where an intersection goes whose writer is not named, below the folder that the site has in the job's. */
export const defaultPsiPath = "psi/intersection.txt";

const handlerArgs = z.strictObject({ local_psi_id: z.string().min(1) });
const writerArgs = z.strictObject({ output_path: jobPathSchema.default(defaultPsiPath) });
const csvArgs = z.strictObject({
  dataset: z.string().min(1),
  column: z.string().min(1),
  delimiter: z.string().length(1, "must be one character").default(","),
  psi_writer_id: z.string().min(1).optional(),
});

/** The components of a private set intersection at a site, by the names that a job may use. */
export const psiComponentClasses: readonly ComponentClass<PsiComponent>[] = [
  {
    name: "DhPSITaskHandler",
    args: handlerArgs.transform(({ local_psi_id: localPsiId }) => ({ kind: "psi-handler" as const, localPsiId })),
    argNames: Object.keys(handlerArgs.shape),
    refusedArgs: {},
  },
  {
    name: "FilePSIWriter",
    args: writerArgs.transform(({ output_path: outputPath }) => ({ kind: "psi-writer" as const, outputPath })),
    argNames: Object.keys(writerArgs.shape),
    refusedArgs: {},
  },
  {
    name: "CsvItems",
    args: csvArgs.transform(({ psi_writer_id: writerId, ...rest }) => ({ kind: "csv-items" as const, ...rest, writerId })),
    argNames: Object.keys(csvArgs.shape),
    refusedArgs: {},
  },
];
