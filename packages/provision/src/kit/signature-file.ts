/** Name of the file that holds the signatures of the folder it stands in. */
export const signatureFile = "signature.json";
