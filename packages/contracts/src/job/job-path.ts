import { z } from "zod";

/** Longest path of a file inside a job, in characters. */
const maxPathChars = 1024;
/** Longest name on every file system that matters, in bytes. */
const maxNameBytes = 255;

/**
 * What is wrong with the path of a file inside a job, or `undefined`. A path is relative, written with `/`, stays inside
 * the job, and means the same file on every file system.
 */
export function jobPathProblem(path: string): string | undefined {
  if (path === "") return "is empty";
  if (path.length > maxPathChars) return `is longer than ${maxPathChars} characters`;
  if (path.startsWith("/")) return "is absolute";
  if (path.includes("\\")) return "has a backslash";
  if (path.includes(":")) return "has a colon";
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(path)) return "has an invisible or control character";
  for (const name of path.split("/")) {
    if (name === "") return "has an empty part";
    if (name === "." || name === "..") return `has the part '${name}'`;
    if (name.endsWith(".") || name.endsWith(" ")) return "has a part that ends with a dot or a space";
    if (new TextEncoder().encode(name).length > maxNameBytes) return `has a part longer than ${maxNameBytes} bytes`;
  }
  return undefined;
}

/**
 * The first pair of paths that some file system takes for the same file, or for a file and a folder at once: equal paths,
 * `App/x` and `app/x`, `a` and `a/b`. `undefined` when all paths are good neighbours.
 */
export function jobPathClash(paths: Iterable<string>): readonly [string, string] | undefined {
  const seen = new Map<string, { readonly spelling: string; readonly isFile: boolean; readonly path: string }>();
  for (const path of paths) {
    const names = path.split("/");
    for (let count = 1; count <= names.length; count++) {
      const spelling = names.slice(0, count).join("/");
      const isFile = count === names.length;
      const key = fold(spelling);
      const other = seen.get(key);
      if (other === undefined) seen.set(key, { spelling, isFile, path });
      else if (other.spelling !== spelling || other.isFile || isFile) return [other.path, path];
    }
  }
  return undefined;
}

/** Schema of a path that a person writes, relative to a folder of the job. */
export const jobPathSchema = z.string().superRefine((path, context) => {
  const problem = jobPathProblem(path);
  if (problem !== undefined) context.addIssue({ code: "custom", message: `the path '${path}' ${problem}` });
});

/** What file systems that ignore case or Unicode forms take for the same name. */
function fold(path: string): string {
  return path.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
}
