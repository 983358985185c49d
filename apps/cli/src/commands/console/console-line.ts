/** A line that somebody has given to the console. */
export interface ConsoleLine {
  readonly words: readonly string[];
  /** Where the output goes; `undefined`: to the console. */
  readonly file: string | undefined;
  /** Whether it goes after what the file holds. */
  readonly isAppended: boolean;
}

/** What is wrong with a line. */
export class LineMistake extends Error {}

/**
 * Splits a line into words as a shell does: blanks part words, quotes keep them together, a backslash takes the next character as it is.
 * Nothing is replaced, and `>` or `>>` with a name behind it is where the output goes.
 *
 * @throws LineMistake
 */
export function splitLine(line: string): ConsoleLine {
  const words: string[] = [];
  let word: string | undefined;
  let redirect: { file: string | undefined; readonly isAppended: boolean } | undefined;
  const end = (): void => {
    if (word === undefined) return;
    if (redirect === undefined) words.push(word);
    else if (redirect.file === undefined) redirect.file = word;
    else throw new LineMistake(`'${word}' stands behind the name of the file that the output goes to.`);
    word = undefined;
  };
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === '"' || char === "'") {
      const close = line.indexOf(char, at + 1);
      if (close === -1) throw new LineMistake(`The quote ${char} is not closed.`);
      word = (word ?? "") + line.slice(at + 1, close);
      at = close;
    } else if (char === "\\" && at + 1 < line.length) {
      at += 1;
      word = (word ?? "") + line.charAt(at);
    } else if (char === ">" && redirect === undefined) {
      end();
      const isAppended = line.charAt(at + 1) === ">";
      if (isAppended) at += 1;
      redirect = { file: undefined, isAppended };
    } else if (/\s/.test(char)) end();
    else word = (word ?? "") + char;
  }
  end();
  if (redirect !== undefined && redirect.file === undefined) throw new LineMistake("A '>' is followed by the name of a file.");
  return { words, file: redirect?.file, isAppended: redirect?.isAppended ?? false };
}
