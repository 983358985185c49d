/** Whom a certificate or a request names. */
export interface CertificateSubject {
  readonly commonName: string;
  readonly org?: string;
  /** Goes into unstructuredName (OID 1.2.840.113549.1.9.2), where FLARE keeps it. */
  readonly role?: string;
}
