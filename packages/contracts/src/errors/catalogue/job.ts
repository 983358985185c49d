/** Errors of the area `job`. */
export const jobErrors = {} as const;
