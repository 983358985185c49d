import { resolve } from "node:path";
import process from "node:process";

/** A path as the person meant it who typed it: npm runs scripts in the package's folder and says where it was called. */
export function givenPath(path: string): string;
export function givenPath(path: string | undefined): string | undefined;
export function givenPath(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(process.env["INIT_CWD"] ?? process.cwd(), path);
}
