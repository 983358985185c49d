/** How floating elements are summed. */
export type SumMode = "exact" | "fast" | "float64";
