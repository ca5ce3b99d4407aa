/** Length of a quoted answer in characters. */
const maxLength = 200;
/** Only so much of an answer is examined, in characters. */
const maxExamined = 4_000;
const removed = '[removed]';

/** The body of a refusal and its `Content-Type`. */
export type RefusalBody = Readonly<{ body: Uint8Array; contentType: string }>;

/** What was sent: values of telemetry, and secrets such as header values. */
type SentTexts = Readonly<{ values: readonly string[]; secrets: readonly string[] }>;

/**
 * The message in an answer of a receiver: of a `google.rpc.Status` (OTLP/HTTP, "Failures"), else the text of the body.
 * Holds printable characters only, at most 200. Values that were sent are removed, whole or in part; numbers of up to three
 * digits, single plain words and values in another encoding can remain. `''` for no message. Pure.
 */
export function quoteAnswer({ body, contentType }: RefusalBody, sent: SentTexts): string {
  const text = new TextDecoder().decode(body);
  const message = contentType.includes('protobuf') ? protobufMessage(body) : jsonMessage(text);
  // Before what looks like an escape is decoded, and after it: a Windows path has such things.
  const examined = unescaped(withoutWhole((message ?? text).slice(0, maxExamined), sent)).normalize('NFC');
  const printable = examined.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
  const quoted = withoutWords(withoutWhole(printable, sent), sent);
  return /[\p{L}\p{N}]/u.test(quoted.replaceAll(removed, ''))
    ? Array.from(quoted).slice(0, maxLength).join('').trim()
    : '';
}

/** Undefined if the text is not JSON or has no message. */
function jsonMessage(text: string): string | undefined {
  try {
    const json: unknown = JSON.parse(text);
    const isStatus = typeof json === 'object' && json !== null && 'message' in json && typeof json.message === 'string';
    return isStatus ? String(json.message) : undefined;
  } catch {
    return undefined;
  }
}

/** Field 2 of a `google.rpc.Status`; undefined if the bytes are not such a message. */
function protobufMessage(bytes: Uint8Array): string | undefined {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < bytes.length; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte % 128) * factor;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === codeTag) varint();
    else if (tag === messageTag || tag === detailsTag) {
      const length = varint();
      if (at + length > bytes.length) return undefined;
      if (tag === messageTag) return new TextDecoder().decode(bytes.subarray(at, at + length));
      at += length;
    } else return undefined;
  }
  return undefined;
}

/** Field number times 8 plus wire type. */
const codeTag = 8;
const messageTag = 18;
const detailsTag = 26;

/** A quotation may be escaped as in JSON, Go, URLs or HTML: words must be recognized all the same. */
function unescaped(text: string): string {
  return text
    .replaceAll(/\\u\{?([0-9a-f]{4,6})\}?/gi, (all, hex: string) => character(Number.parseInt(hex, 16), all))
    .replaceAll(/(?:\\x[0-9a-f]{2})+/gi, all => bytesOf(all.replaceAll('\\x', ''), all))
    .replaceAll(/(?:%[0-9a-f]{2})+/gi, all => bytesOf(all.replaceAll('%', ''), all))
    .replaceAll(/&#x([0-9a-f]{1,6});/gi, (all, hex: string) => character(Number.parseInt(hex, 16), all))
    .replaceAll(/&#(\d{1,7});/g, (all, digits: string) => character(Number(digits), all))
    .replaceAll(/\\[abfnrtv]/g, ' ');
}

const character = (code: number, otherwise: string): string =>
  code <= 0x10ffff ? String.fromCodePoint(code) : otherwise;

const bytesOf = (hex: string, otherwise: string): string => {
  const text = Buffer.from(hex, 'hex').toString();
  return text === '' ? otherwise : text;
};

const wordPattern = /[\p{L}\p{M}\p{N}]+/gu;
const wordsOf = (text: string): readonly string[] => text.normalize('NFC').toLowerCase().match(wordPattern) ?? [];

/** A shorter word may be part of another by chance; where words are not separated by spaces, any may be. */
const isPart = (word: string): boolean => word.length >= 5 || /^\P{ASCII}{2,}$/u.test(word);

/** Removes values that occur as a whole. */
const withoutWhole = (text: string, { values, secrets }: SentTexts): string =>
  [...secrets, ...values]
    .filter(value => text.includes(value) && isQuotable(value))
    .reduce((left, value) => left.replaceAll(value, removed), text);

/** Removes every word that was sent, or is part of such a word, or contains one; plain words only as they followed each other. */
function withoutWords(text: string, { values, secrets }: SentTexts): string {
  const isValue = wordTest(values);
  const isSecret = wordTest(secrets);
  const pairs = new Set(values.flatMap(value => pairsOf(wordsOf(value))));
  const words = (text.match(tokenPattern) ?? []).map(word => word.toLowerCase());
  const isQuoted = (word: string, index: number): boolean =>
    isSecret(word) ||
    (!plainWords.has(word) && isValue(word)) ||
    pairsOf(words.slice(Math.max(0, index - 1), index + 2)).some(pair => pairs.has(pair));
  let index = -1;
  return text
    .replaceAll(tokenPattern, word => {
      index += 1;
      return word !== removed && isQuoted(word.toLowerCase(), index) ? removed : word;
    })
    .replaceAll(/\[removed\](?:[^\p{L}\p{N}[\]]*\[removed\])+/gu, removed);
}

const tokenPattern = /\[removed\]|[\p{L}\p{M}\p{N}]+/gu;

/** Each word with the next one. */
const pairsOf = (words: readonly string[]): readonly string[] =>
  words.slice(1).map((word, index) => `${words[index] ?? ''} ${word}`);

/** Whether a text is removed as a whole, plain words included: it has no word, several words, or one that is not plain. */
function isQuotable(value: string): boolean {
  const words = wordsOf(value);
  if (words.length === 0) return value.trim().length > 1;
  return value.length >= 5 && (words.length > 1 || !words.every(word => plainWords.has(word)));
}

function wordTest(texts: readonly string[]): (word: string) => boolean {
  const words = new Set(texts.flatMap(wordsOf));
  const all = [...words].join(' ');
  const parts = [...words].filter(isPart);
  return word =>
    (!isShortNumber(word) && words.has(word)) ||
    (isPart(word) && all.includes(word)) ||
    parts.some(part => word.includes(part));
}

/** Status codes and counts. */
const isShortNumber = (word: string): boolean => /^\d{1,3}$/.test(word);

/** Words that receivers use to say why they refuse. They say nothing about anybody, so they stay even if they were sent. */
const plainWords: ReadonlySet<string> = new Set(
  `a above accept acceptable access account after age ago all allow allowed already an and any are as at attribute
  attributes authentication authorization authorized available back backend bad batch be because been before behind
  below body bucket bytes can cannot certificate check client code collector compression configured conflict connect
  connection content could credentials data dataset deadline decode decoding delivered denied did disabled disk
  distributor does dropped due duplicate empty encoding endpoint enqueue entries entry err error errors exceed exceeded
  exceeds expected expired export exporter fail failed failure far field fields for forbidden format found from full
  future gateway greater grpc has have header headers host http in ingest ingester ingestion input instead interface
  internal invalid is it item items json key label labels large later length less level limit limited limiter limits
  line lines log logs long longer longest malformed many max maximum media memory message messages method metadata min
  minimum missing more must name names new newer newest no not now of old older oldest on only or order org orgid other
  out overload overloaded parse parsing partial path pattern payload per permission permissions permitted pipeline
  please policy project protobuf protocol proxy queue quota rate read received record records refused rejected request
  requests required requires resource resources response retry running same schema second seconds send sending server
  service shutting size small some space span spans status still storage stored stream streams structured success
  support supported sync temporarily temporary tenant than that the this throttled throughput time timed timeout
  timestamp timestamps to token too trace traces try type unable unauthenticated unauthorized unavailable unexpected
  unimplemented unknown unmarshal unsupported upstream url usage use user valid value values version wait was were with
  within without write writes wrong you your`.split(/\s+/),
);
