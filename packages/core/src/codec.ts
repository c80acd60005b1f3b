/** Payload to bytes and back. */
export interface Codec {
  /** The media type that is sent with each message. */
  readonly contentType: string;
  encode(payload: unknown, context: CodecContext): Uint8Array | Promise<Uint8Array>;
  /** May be asynchronous. What it throws sends the message to the dead letters: trying again cannot help. */
  decode(body: Uint8Array, context: CodecContext): unknown;
}

/** Which payload a codec is given. */
export interface CodecContext {
  readonly topic: string;
  readonly type: string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The default: UTF-8 JSON. What JSON would drop at the top (`undefined`, a function) is refused; an empty body decodes to `undefined`. */
export const json: Codec = {
  contentType: "application/json",
  encode(payload) {
    const text = JSON.stringify(payload);
    if (text === undefined) throw new TypeError(`JSON has no form for ${typeof payload}`);
    return Buffer.from(text);
  },
  decode(body) {
    return body.byteLength === 0 ? undefined : JSON.parse(utf8.decode(body));
  },
};
