/** Errors of the area `poc`. */
export const pocErrors = {} as const;
