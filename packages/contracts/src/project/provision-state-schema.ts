import { z } from "zod";

const pem = (what: string) =>
  z.string().regex(new RegExp(`^-----BEGIN ${what}-----\\n[\\s\\S]+-----END ${what}-----\\s*$`), `must be a ${what} in PEM`);

/** One certificate in PEM, or several one after the other. */
export const certificatePemSchema = pem("CERTIFICATE");

/** A private key: in PEM, or sealed by the passphrase of the CA key. */
export const storedKeySchema = z
  .string()
  .regex(
    /^(-----BEGIN (RSA )?PRIVATE KEY-----\n[\s\S]+-----END (RSA )?PRIVATE KEY-----\s*|sealed:v1:[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+)$/,
    "must be a private key in PEM, or a sealed one",
  );

/** `state/cert.json`: the project's root and every participant's certificate and key, by name; FLARE's file. */
export const provisionStateSchema = z
  .object({ root_cert: certificatePemSchema, root_pri_key: storedKeySchema.optional() })
  .catchall(z.strictObject({ cert: certificatePemSchema, pri_key: storedKeySchema }));
