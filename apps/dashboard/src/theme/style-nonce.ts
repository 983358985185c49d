/**
 * The nonce that the API gave this page, for style sheets that scripts add; nothing while developing without it. Browsers hide the
 * attribute from selectors and style sheets, but not from the property.
 */
export function styleNonce(document: Document): string | undefined {
  const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
  return nonce === undefined || nonce === "" ? undefined : nonce;
}
