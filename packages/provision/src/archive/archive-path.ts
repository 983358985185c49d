import { FlareError, jobPathClash, jobPathProblem } from "@flare-ts/contracts";

/** Names that Windows gives to devices, with any suffix; a file of that name is never a file there. */
const deviceName = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)/i;
/** Most folders inside each other. */
const maxDepth = 16;

/**
 * Makes sure that the paths of an archive's files and folders name different files inside one folder on every file system.
 *
 * @throws FlareError `archive/unsafe-path`.
 */
export function checkArchivePaths(archive: string, files: readonly string[], folders: readonly string[] = []): void {
  for (const path of [...files, ...folders]) {
    const problem = archivePathProblem(path);
    if (problem !== undefined) throw unsafe(archive, path, problem);
  }
  // A folder clashes with a file of its name, as if something stood in it.
  const clash = jobPathClash([...files, ...folders.map((folder) => `${folder}/.`)]);
  if (clash === undefined) return;
  const [one, other] = clash;
  throw unsafe(archive, other, one === other ? "is there twice" : `would be the same file as ${JSON.stringify(one)}`);
}

/** What is wrong with one path of an archive, or `undefined`. */
function archivePathProblem(path: string): string | undefined {
  const problem = jobPathProblem(path);
  if (problem !== undefined) return problem;
  const names = path.split("/");
  if (names.length > maxDepth) return `has more than ${maxDepth} parts`;
  for (const name of names) {
    if (/[<>"|?*]/.test(name)) return "has a character that Windows keeps for itself";
    // Windows cuts spaces before the suffix too: "nul .txt" is the device.
    if (deviceName.test(name.replace(/ +(?=\.|$)/, ""))) return "has the name of a device";
    if (name.startsWith(" ")) return "has a part that begins with a space";
  }
  return undefined;
}

function unsafe(archive: string, path: string, problem: string): FlareError {
  const shown = JSON.stringify(path.slice(0, 200));
  return new FlareError("archive/unsafe-path", `${archive}: the path ${shown} ${problem}.`, {
    facts: { file: archive, path: path.slice(0, 200), problem },
  });
}
