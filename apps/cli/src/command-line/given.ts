/** The value of a variable of the environment; one that is empty says nothing, as one that is not set. */
export function given(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
