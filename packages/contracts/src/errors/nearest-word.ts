/**
 * The candidate that a person most probably meant: smallest Levenshtein distance, at most a third of the word's
 * length without the ending that both have (and at least 2); `undefined` when nothing is near.
 */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const [own, other] = withoutSharedEnding(word.toLowerCase(), candidate.toLowerCase());
    const distance = editDistance(own, other);
    // An ending that many words have, such as "Controller", makes no two of them alike.
    if (distance < bestDistance && distance <= Math.max(2, Math.floor(own.length / 3))) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function withoutSharedEnding(a: string, b: string): readonly [string, string] {
  let shared = 0;
  while (shared < Math.min(a.length, b.length) && a.at(-1 - shared) === b.at(-1 - shared)) shared += 1;
  return [a.slice(0, a.length - shared), b.slice(0, b.length - shared)];
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution);
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
