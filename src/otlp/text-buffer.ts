/** Texts one behind the other, as UTF-8. The memory is kept: a new megabyte for each request costs a fifth more. */
export interface TextBuffer {
  clear(): void;
  add(text: string): void;
  /** What has been added since it was cleared. */
  copy(): Uint8Array;
}

/** What a unit of UTF-16 takes at most in UTF-8, in bytes. */
const widest = 3;

/** @param size to begin with, in bytes; it grows as needed. */
export function createTextBuffer(size = 1024 * 1024): TextBuffer {
  let bytes = Buffer.allocUnsafe(size);
  let filled = 0;
  return {
    clear: () => {
      filled = 0;
    },
    add: text => {
      const needed = filled + widest * text.length;
      if (needed > bytes.length) bytes = Buffer.concat([bytes.subarray(0, filled)], 2 * needed);
      filled += bytes.write(text, filled);
    },
    copy: () => Buffer.from(bytes.subarray(0, filled)),
  };
}
