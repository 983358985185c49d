import { readFile } from "node:fs/promises";
import { FlareError, readDocument } from "@flare-ts/contracts";
import { type BenchResult, resultSchema, resultSchemaName, resultVersion } from "./result.ts";

/**
 * Reads a file of results.
 *
 * @throws `file/not-found`, `file/unreadable`, `document/invalid` when it is no such file, one of another version, or not whole
 */
export async function readResult(file: string): Promise<BenchResult> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    throw new FlareError(isMissing ? "file/not-found" : "file/unreadable", `${file} ${isMissing ? "does not exist" : "cannot be read"}.`, {
      facts: { file },
      cause,
    });
  }
  return checkResult(text, file);
}

/** Checks the text of a file of results. @throws `document/invalid` */
export function checkResult(text: string, file: string): BenchResult {
  const head = headOf(text);
  if (head.schema !== resultSchemaName || head.version !== resultVersion) {
    const found = head.schema === resultSchemaName ? `version ${String(head.version)} of it` : "something else";
    throw new FlareError(
      "document/invalid",
      `${file} is no result of \`bench -- aggregate\` that this version reads: it takes version ${resultVersion} of ${resultSchemaName}, and this is ${found}.`,
      { facts: { file } },
    );
  }
  return readDocument({ text, file, schema: resultSchema }).value;
}

function headOf(text: string): { readonly schema?: unknown; readonly version?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
