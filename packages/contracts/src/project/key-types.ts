/** Kinds of keys that a project may choose. */
export const keyTypes = ["rsa-2048", "rsa-3072", "p256"] as const;

/** A kind of key: RSA with 2048 or 3072 bits, or the curve P-256. */
export type KeyType = (typeof keyTypes)[number];
