/** What a form holds after somebody else has saved. */
export interface Merged<V> {
  /** What was typed, and theirs wherever nothing was. */
  readonly values: V;
  /** Paths of the fields in which both differ from what there was before, and from each other. */
  readonly clashes: readonly string[];
}

export interface MergeInit<V> {
  /** What the form began with. */
  readonly base: V;
  /** What it holds now. */
  readonly mine: V;
  /** What is saved now. */
  readonly theirs: V;
}

/**
 * Merges what was typed into a form with what somebody else has saved since it was filled: field by field, with the same fields as
 * theirs. A list is one field. Where both changed one, what was typed stays and its path is told.
 */
export function mergeValues<V extends Record<string, unknown>>({ base, mine, theirs }: MergeInit<V>): Merged<V> {
  const clashes: string[] = [];
  return { values: mergeObjects(base, mine, theirs, "", clashes) as V, clashes };
}

type Fields = Readonly<Record<string, unknown>>;

function mergeObjects(base: Fields, mine: Fields, theirs: Fields, path: string, clashes: string[]): Fields {
  const merged = Object.entries(theirs).map(([key, their]) => {
    const [was, my, at] = [base[key], mine[key], `${path}${key}`];
    if (isFields(was) && isFields(my) && isFields(their)) return [key, mergeObjects(was, my, their, `${at}.`, clashes)] as const;
    if (isSame(my, was)) return [key, their] as const;
    if (!isSame(their, was) && !isSame(my, their)) clashes.push(at);
    return [key, my] as const;
  });
  return Object.fromEntries(merged);
}

/** The value at a path such as `server.port`. */
export function valueAt(values: Fields, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (isFields(value) ? value[key] : undefined), values);
}

/** The values with another one at a path. */
export function withValueAt<V extends Record<string, unknown>>(values: V, path: string, value: unknown): V {
  const [key = "", ...rest] = path.split(".");
  const inner = values[key];
  return { ...values, [key]: rest.length > 0 && isFields(inner) ? withValueAt({ ...inner }, rest.join("."), value) : value };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
