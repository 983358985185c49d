/** Errors of the area `kit`. */
export const kitErrors = {} as const;
