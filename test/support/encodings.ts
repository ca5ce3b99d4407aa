/** A text in each encoding that editors and shells of Windows and Linux write. */
export function inEncodings(text: string): ReadonlyArray<Readonly<{ text: string; encoding: string; bytes: Buffer }>> {
  const utf16le = Buffer.from(`\ufeff${text}`, 'utf16le');
  return [
    { text: JSON.stringify(text), encoding: 'UTF-8', bytes: Buffer.from(text) },
    { text: JSON.stringify(text), encoding: 'UTF-8 with a mark', bytes: Buffer.from(`\ufeff${text}`) },
    { text: JSON.stringify(text), encoding: 'UTF-16LE', bytes: utf16le },
    { text: JSON.stringify(text), encoding: 'UTF-16BE', bytes: Buffer.from(utf16le).swap16() },
  ];
}
