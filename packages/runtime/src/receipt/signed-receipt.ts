/** A receipt as it is journalled: its text, and who stands for it. */
export interface SignedReceipt {
  /** The `RoundReceipt` as JSON; these very characters are signed. */
  readonly document: string;
  /** By the server's key, over `flare-ts/1 receipt\0` and the document; base64. */
  readonly signature: string;
  /** The server's certificate, with its chain; PEM. */
  readonly certificate: string;
}
