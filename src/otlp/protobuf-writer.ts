/** Wire types. */
const wire = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

/** Room for the key and the length of a field. */
const headBytes = 16;

/** Where an attribute, or the attributes of an object, were written last. */
type Written = Readonly<{ value: unknown; start: number; end: number }>;

/**
 * Writes fields of protobuf messages one after the other.
 * Source: protobuf.dev/programming-guides/encoding; opentelemetry/proto, common.proto.
 */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #end = 0;
  /** By name, and by object. */
  readonly #written = new Map<unknown, Written>();

  /** Everything written so far; valid until more is written. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  /** An integer; negative ones as `int64`. */
  integer(field: number, value: number): void {
    this.#key(field, wire.varint);
    if (value >= 0) this.#varint(value);
    else this.#negative(BigInt.asUintN(64, BigInt(value)));
  }

  double(field: number, value: number): void {
    this.#key(field, wire.fixed64);
    this.#end = this.#bytes.writeDoubleLE(value, this.#end);
  }

  fixed32(field: number, value: number): void {
    this.#key(field, wire.fixed32);
    this.#end = this.#bytes.writeUInt32LE(value, this.#end);
  }

  fixed64(field: number, value: bigint): void {
    this.#key(field, wire.fixed64);
    this.#end = this.#bytes.writeBigUInt64LE(value, this.#end);
  }

  text(field: number, text: string): void {
    this.#encoded(field, text, 'utf8');
  }

  /** Bytes from their hexadecimal digits. */
  hex(field: number, digits: string): void {
    this.#encoded(field, digits, 'hex');
  }

  /** Begins a message. `lengthBytes`: how many bytes its length probably takes. */
  open(field: number, lengthBytes = 1): number {
    this.#key(field, wire.lengthDelimited);
    this.#end += lengthBytes;
    return this.#end;
  }

  /** Ends the message that began with `open`, which returned `start`; the same `lengthBytes`. */
  close(start: number, lengthBytes = 1): void {
    const length = this.#end - start;
    const moved = varintSize(length) - lengthBytes;
    if (moved !== 0) this.#move(start, moved);
    const end = this.#end;
    this.#end = start - lengthBytes;
    this.#varint(length);
    this.#end = end;
  }

  /** A `KeyValue` for each attribute. One with the value that it had last time is copied. Use one field for all. */
  attributes(field: number, attributes: Readonly<Record<string, unknown>>): void {
    for (const name in attributes) {
      const value = attributes[name];
      this.#once(name, value, () => this.keyValue(field, name, value));
    }
  }

  /** As `attributes`, for an object that several messages share: copied as a whole. It must not change. */
  sharedAttributes(field: number, attributes: Readonly<Record<string, unknown>>): void {
    this.#once(attributes, attributes, () => this.attributes(field, attributes));
  }

  /** A `KeyValue`. A value that is neither number nor boolean is written as text. */
  keyValue(field: number, name: string, value: unknown): void {
    const start = this.open(field);
    this.text(1, name);
    const valueStart = this.open(2);
    if (typeof value === 'boolean') this.integer(2, Number(value));
    else if (typeof value !== 'number') this.text(1, String(value));
    else if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) this.integer(3, value);
    else this.double(4, value);
    this.close(valueStart);
    this.close(start);
  }

  /** Writes a value, or copies what was written for the key if it was the same value. */
  #once(key: unknown, value: unknown, write: () => void): void {
    const last = this.#written.get(key);
    const start = this.#end;
    if (last === undefined || last.value !== value) {
      write();
      this.#written.set(key, { value, start, end: this.#end });
      return;
    }
    this.#room(last.end - last.start);
    this.#bytes.copyWithin(start, last.start, last.end);
    this.#end += last.end - last.start;
  }

  #key(field: number, type: number): void {
    this.#room(headBytes);
    this.#varint(field * 8 + type);
  }

  #encoded(field: number, text: string, encoding: 'utf8' | 'hex'): void {
    const start = this.open(field);
    this.#room(3 * text.length);
    this.#end += this.#bytes.write(text, this.#end, encoding);
    this.close(start);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#end++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#end++] = rest;
  }

  #negative(twosComplement: bigint): void {
    let rest = twosComplement;
    for (; rest > 127n; rest >>= 7n) this.#bytes[this.#end++] = Number(rest % 128n) + 128;
    this.#bytes[this.#end++] = Number(rest);
  }

  /** Moves everything from `start` on. Attributes written there are forgotten. */
  #move(start: number, by: number): void {
    this.#room(by);
    this.#bytes.copyWithin(start + by, start, this.#end);
    this.#end += by;
    for (const [key, written] of this.#written) if (written.start >= start) this.#written.delete(key);
  }

  #room(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * needed);
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size += 1;
  return size;
}
