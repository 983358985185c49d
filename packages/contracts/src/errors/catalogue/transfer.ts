/** Errors of the area `transfer`. */
export const transferErrors = {} as const;
