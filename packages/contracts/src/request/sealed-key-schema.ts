import { z } from "zod";

const base64 = z.base64("must be base64");

/** `rootCA.key` when it is encrypted: AES-256-GCM with a key that scrypt derives from a passphrase. */
export const sealedKeySchema = z.strictObject({
  format_version: z.literal(1),
  cipher: z.literal("aes-256-gcm"),
  kdf: z.literal("scrypt"),
  /** log2 of scrypt's N. More than 2^20 would take a gigabyte. */
  log_n: z.int().min(15).max(20),
  r: z.literal(8),
  p: z.literal(1),
  salt: base64,
  nonce: base64,
  ciphertext: base64,
});
