import { FlareError } from "@flare-ts/contracts";

const leastCharacters = 12;

/** What the most used passwords begin from; digits and signs around them change little. */
const commonWords = new Set(
  "password passwort passw0rd p@ssword qwerty qwertyuiop qwertz azerty letmein welcome willkommen admin administrator iloveyou monkey dragon sunshine princess football baseball superman batman trustno master hello freedom whatever shadow michael jennifer changeme default secret hospital flare federation abcdef abcdefgh abcdefghijkl asdfghjkl zxcvbnm".split(
    " ",
  ),
);

/**
 * Passes what is fit to be a password: long enough, not a common one, not one's own name. No rules about kinds of
 * characters, which make passwords hard to keep and no harder to guess.
 *
 * @throws FlareError `dashboard/weak-password`
 * @see NIST SP 800-63B, section 5.1.1.2
 */
export function checkNewPassword(password: string, person: { readonly email: string; readonly name: string }): void {
  const problem = problemOf(password.normalize("NFC"), person);
  if (problem !== undefined) throw new FlareError("dashboard/weak-password", `The password ${problem}.`);
}

function problemOf(password: string, { email, name }: { readonly email: string; readonly name: string }): string | undefined {
  const characters = Array.from(password);
  if (characters.length < leastCharacters) return `has fewer than ${leastCharacters} characters`;
  if (new Set(characters).size < 5) return "repeats a few characters";
  if (isRun(characters)) return "is a sequence of neighbouring characters";
  const lower = password.toLowerCase();
  const core = lower.replaceAll(/^[^a-z]+|[^a-z]+$/g, "");
  if (commonWords.has(core) || isRepeatedCommonWord(core)) return "is a common one with something around it";
  const own = [email, email.split("@")[0] ?? "", ...name.toLowerCase().split(/\s+/)].filter((word) => word.length >= 4);
  const rest = own.reduce((text, word) => text.replaceAll(word, ""), lower);
  if (rest.length < lower.length && rest.replaceAll(/[^a-z]/g, "").length < 6) return "is mostly the own name or address";
  return undefined;
}

function isRun(characters: readonly string[]): boolean {
  const steps = characters.slice(1).map((character, i) => (character.codePointAt(0) ?? 0) - (characters[i]?.codePointAt(0) ?? 0));
  return steps.filter((step) => Math.abs(step) === 1).length >= characters.length - 3;
}

function isRepeatedCommonWord(text: string): boolean {
  for (const word of commonWords) if (word.length >= 4 && text.replaceAll(word, "") === "" && text !== "") return true;
  return false;
}
