import { createReadStream } from "node:fs";
import { FlareError } from "@flare-ts/contracts/errors";

export interface CsvColumnInit {
  readonly path: string;
  /** For messages. */
  readonly dataset: string;
  readonly column: string;
  readonly delimiter: string;
}

/**
 * Cells of one column of a CSV file, but empty ones, as they stand there; of quoted ones what is between the quotes. The first row has the columns'
 * names.
 *
 * @see RFC 4180
 * @throws FlareError `client-api/dataset-missing`
 */
export async function readCsvColumn({ path, dataset, column, delimiter }: CsvColumnInit): Promise<readonly string[]> {
  const cells: string[] = [];
  let at: number | undefined;
  const rows = new CsvRows(delimiter, (row) => {
    if (at !== undefined) {
      const cell = row[at];
      if (cell !== undefined && cell !== "") cells.push(cell);
      return;
    }
    const names = row.map((name) => name.trim());
    at = names.indexOf(column);
    if (at < 0) {
      const shown = names.slice(0, 20).join(", ").slice(0, 500);
      throw missing(`The data set '${dataset}' has no column '${column}': its columns are ${shown}.`, dataset);
    }
  });
  try {
    for await (const text of createReadStream(path, { encoding: "utf8" })) rows.take(text as string);
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code === undefined || reason instanceof FlareError) throw reason;
    throw missing(`The data set '${dataset}' is no file that can be read.`, dataset);
  }
  rows.end();
  if (at === undefined) throw missing(`The data set '${dataset}' is empty.`, dataset);
  return cells;
}

/** Cuts a text that comes in pieces into rows. */
class CsvRows {
  readonly #delimiter: string;
  readonly #onRow: (row: readonly string[]) => void;
  #row: string[] = [];
  #cell = "";
  #state: "start" | "plain" | "quoted" | "quote" = "start";
  #isFirst = true;

  constructor(delimiter: string, onRow: (row: readonly string[]) => void) {
    this.#delimiter = delimiter;
    this.#onRow = onRow;
  }

  take(text: string): void {
    const from = this.#isFirst && text.startsWith("\uFEFF") ? 1 : 0;
    this.#isFirst = false;
    for (let i = from; i < text.length; i += 1) this.#step(text[i] ?? "");
  }

  end(): void {
    if (this.#state === "start" && this.#row.length === 0) return;
    this.#endRow();
  }

  #step(char: string): void {
    if (this.#state === "quoted") {
      if (char === '"') this.#state = "quote";
      else this.#cell += char;
    } else if (char === '"' && this.#state === "quote") {
      this.#cell += char;
      this.#state = "quoted";
    } else if (char === '"' && this.#state === "start") this.#state = "quoted";
    else if (char === this.#delimiter) this.#endCell();
    else if (char === "\n") this.#endRow();
    else if (char !== "\r" || this.#delimiter === "\r") {
      this.#cell += char;
      this.#state = "plain";
    }
  }

  #endCell(): void {
    this.#row.push(this.#cell);
    this.#cell = "";
    this.#state = "start";
  }

  #endRow(): void {
    this.#endCell();
    const row = this.#row;
    this.#row = [];
    this.#onRow(row);
  }
}

function missing(message: string, dataset: string): FlareError {
  return new FlareError("client-api/dataset-missing", message, { facts: { dataset } });
}
