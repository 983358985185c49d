const blockBytes = 512;

/** The plain files of a tar archive by name, such as the small ones that packages bring. Anything else in it is passed over. */
export function readTar(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + blockBytes <= archive.length; ) {
    const name = textAt(archive, at, 100);
    const size = Number.parseInt(textAt(archive, at + 124, 12), 8) || 0;
    const type = textAt(archive, at + 156, 1);
    if (name !== "" && (type === "" || type === "0")) files.set(name, archive.subarray(at + blockBytes, at + blockBytes + size));
    at += blockBytes * (1 + Math.ceil(size / blockBytes));
  }
  return files;
}

function textAt(archive: Buffer, at: number, length: number): string {
  const text = archive.toString("latin1", at, at + length);
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
