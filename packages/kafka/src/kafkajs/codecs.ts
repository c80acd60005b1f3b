import { createRequire } from "node:module";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import kafkajs from "kafkajs";
import type { Compression } from "../options.ts";

const { CompressionCodecs, CompressionTypes } = kafkajs;

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

const require = createRequire(import.meta.url);

/** Loaded when first used: it is a native module. `kafkajs-lz4` does not load on Node 24. */
function lz4(): Codec {
  const { compressFrame, decompressFrame } = require("lz4-napi") as typeof import("lz4-napi");
  return { compress: ({ buffer }) => compressFrame(buffer), decompress: (buffer) => decompressFrame(buffer) };
}

function zstd(): Codec {
  const [compress, decompress] = [promisify(zstdCompress), promisify(zstdDecompress)];
  return {
    compress: ({ buffer }) => compress(buffer) as Promise<Buffer>,
    decompress: (buffer) => decompress(buffer) as Promise<Buffer>,
  };
}

/** Teaches kafkajs every codec that a foreign publisher may use: one that it lacks ends the consumer. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = require("kafkajs-snappy");
  CompressionCodecs[CompressionTypes.LZ4] = lz4;
  CompressionCodecs[CompressionTypes.ZSTD] = zstd;
}

/** kafkajs's word for a compression. */
export const compressionTypes: Readonly<Record<Compression, number>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};
