/** Hands a file that came as an answer to the browser's downloads; its name is the server's where that gave one. */
export async function saveFile(response: Response, document: Document): Promise<void> {
  const named = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  const url = URL.createObjectURL(await response.blob());
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = named ?? "download";
  anchor.click();
  URL.revokeObjectURL(url);
}
