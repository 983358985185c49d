import type { StatisticsGenerator } from "./statistics-generator.js";

/** Where the identifiers of a site come from. */
export type PsiItems =
  /** A column of a CSV file that the site's operator offers; the intersection goes to `outputPath`. */
  | { readonly kind: "csv"; readonly dataset: string; readonly column: string; readonly delimiter: string; readonly outputPath: string }
  /** A class of the job's in Python, which loads them and takes the intersection. */
  | {
      readonly kind: "class";
      readonly made: StatisticsGenerator;
      /** Where each of the job's writers puts what it is given: its id, and a path. */
      readonly writers: Readonly<Record<string, string>>;
    };
