import type { z } from "zod";

/** What zod calls a type, as a person who writes a file calls it. */
const typeWords: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys",
  record: "a map of keys",
};

/** Says what is wrong with a value in the words of the person who wrote it; a text of the schema's own stays as it is. */
export function issueText(issue: z.core.$ZodIssue, isMissing: boolean): string {
  const { message } = issue;
  if (issue.code === "invalid_value" && /^Invalid (?:input|option):/.test(message)) {
    return isMissing ? "is missing" : `must be ${oneOf(issue.values.map(String))}`;
  }
  if (issue.code === "invalid_union" && message === "Invalid input") return isMissing ? "is missing" : unionText(issue);
  if (issue.code === "invalid_type" && message.startsWith("Invalid input:")) {
    const word = typeWords[issue.expected];
    if (isMissing) return "is missing";
    return word === undefined ? message : `must be ${word}`;
  }
  if (issue.code === "too_small" && message.startsWith("Too small:"))
    return boundText(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum);
  if (issue.code === "too_big" && message.startsWith("Too big:"))
    return boundText(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum);
  return message;
}

/** What the members of a union ask for. */
function unionText({ errors, message }: z.core.$ZodIssueInvalidUnion): string {
  const texts = errors.flat().flatMap((inner) => (inner.path.length === 0 ? [issueText(inner, false)] : []));
  const asked = texts.flatMap((text) => (text.startsWith("must be ") ? [text.slice("must be ".length)] : []));
  return asked.length === 0 ? message : `must be ${oneOf([...new Set(asked)])}`;
}

/** `a, b or c`. */
function oneOf(words: readonly string[]): string {
  return [words.slice(0, -1).join(", "), ...words.slice(-1)].filter((part) => part !== "").join(" or ");
}

function boundText(origin: string, bound: string, limit: number | bigint): string {
  if (origin === "string") return limit === 1 && bound === "at least" ? "must not be empty" : `must have ${bound} ${limit} characters`;
  if (origin === "array" || origin === "set") return `must have ${bound} ${limit} of them`;
  return `must be ${bound} ${limit}`;
}
