/** Where values lie on an axis. */
export interface Scale {
  /** The coordinate of a value. */
  at(value: number): number;
  /** Values to mark. */
  readonly ticks: readonly number[];
}

/** An axis from 0 to at least `most`, which ends at a tick. */
export function linearScale(most: number, [from, to]: readonly [from: number, to: number], wantedTicks = 5): Scale {
  const step = roundStep((most > 0 ? most : 1) / wantedTicks);
  const count = Math.max(1, Math.ceil((most / step) * (1 - 1e-9)));
  const end = step * count;
  return {
    at: (value) => from + (value / end) * (to - from),
    ticks: Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12))),
  };
}

/** A logarithmic axis around values above 0, with ticks at powers of ten and, where these are few, at 2 and 5 times them. */
export function logScale(values: readonly number[], [from, to]: readonly [from: number, to: number]): Scale {
  const positive = values.filter((value) => value > 0);
  const least = Math.min(...(positive.length > 0 ? positive : [1]));
  const most = Math.max(...(positive.length > 0 ? positive : [1]));
  // A little room at both ends, so that nothing lies on the frame; more where all values are nearly the same.
  const room = Math.max(0.06, 0.3 - Math.log10(most / least) / 2);
  const begin = Math.log10(least) - room;
  const end = Math.log10(most) + room;
  const factors = end - begin > 2.2 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(begin); power <= Math.ceil(end); power++) {
    for (const factor of factors) {
      const value = Number(`${factor}e${power}`);
      if (Math.log10(value) >= begin && Math.log10(value) <= end) ticks.push(value);
    }
  }
  return { at: (value) => from + ((Math.log10(value) - begin) / (end - begin)) * (to - from), ticks: thinned(ticks) };
}

/** The same values as ticks, where an axis has few that count. */
export function withTicks(scale: Scale, ticks: readonly number[]): Scale {
  return { at: (value) => scale.at(value), ticks };
}

/** 1, 2 or 5 times a power of ten: the smallest that is at least `step`. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5].find((factor) => factor * power >= step * (1 - 1e-9)) ?? 10);
}

/** Every second, third... of many, so that labels have room. */
function thinned(ticks: readonly number[]): readonly number[] {
  const every = Math.ceil(ticks.length / 8);
  return ticks.filter((_, i) => i % every === 0);
}
