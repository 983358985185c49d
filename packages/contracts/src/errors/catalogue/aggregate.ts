/** Errors of the area `aggregate`. */
export const aggregateErrors = {} as const;
