/** Names of an approval and of its signature, in a signed archive and in the kit that was made from it. */
export const approvalFiles = { document: "signed.json", signature: "signed.json.sig" } as const;
