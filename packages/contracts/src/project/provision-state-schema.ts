import { z } from "zod";

const pem = (what: string) =>
  z.string().regex(new RegExp(`^-----BEGIN ${what}-----\\n[\\s\\S]+-----END ${what}-----\\s*$`), `must be a ${what} in PEM`);
const certificate = pem("CERTIFICATE");
const privateKey = pem("(RSA )?PRIVATE KEY");

/** `state/cert.json`: the project's root and every participant's certificate and key, by name. */
export const provisionStateSchema = z
  .object({ root_cert: certificate, root_pri_key: privateKey })
  .catchall(z.strictObject({ cert: certificate, pri_key: privateKey }));
