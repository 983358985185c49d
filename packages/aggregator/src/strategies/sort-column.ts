/** Values of contributors for the same elements; floats of either width. */
export type Columns = readonly (Float64Array | Float32Array)[];

/** Up to so many values are sorted by insertion, which is faster there than the engine's own sort. */
const insertionLimit = 48;

/** Puts the values of one element, in ascending order, into `column`, which holds one for each contributor. */
export function sortColumn(values: Columns, element: number, column: Float64Array): void {
  const count = column.length;
  if (count > insertionLimit) {
    for (let i = 0; i < count; i++) column[i] = (values[i] as Float64Array)[element] as number;
    column.sort();
    return;
  }
  for (let i = 0; i < count; i++) {
    const value = (values[i] as Float64Array)[element] as number;
    let place = i;
    while (place > 0 && (column[place - 1] as number) > value) {
      column[place] = column[place - 1] as number;
      place -= 1;
    }
    column[place] = value;
  }
}
