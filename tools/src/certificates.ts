import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./system/process.ts";

/** One certificate and its unencrypted key, as PEM files. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** Key and certificate in one file. */
  readonly pemFile: string;
}

/** Certificates for a broker and its clients, valid for a day. */
export interface Certificates {
  readonly ca: Certificate;
  /** Signed by `ca`, for localhost and 127.0.0.1. */
  readonly server: Certificate;
  /** Signed by `ca`. */
  readonly client: Certificate;
  /** An authority that signed none of the others: whoever trusts only this one must refuse the broker. */
  readonly otherCa: Certificate;
}

const AUTHORITY = ["basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign"];
const SERVER = ["subjectAltName=DNS:localhost,IP:127.0.0.1", "extendedKeyUsage=serverAuth"];
const CLIENT = ["extendedKeyUsage=clientAuth"];

/** Makes certificates in a directory, with openssl; replaces those that stand there. */
export async function makeCertificates(dir: string): Promise<Certificates> {
  mkdirSync(dir, { recursive: true });
  const ca = await make(dir, "ca", AUTHORITY);
  const [otherCa, server, client] = await Promise.all([
    make(dir, "other-ca", AUTHORITY),
    make(dir, "server", SERVER, ca),
    make(dir, "client", CLIENT, ca),
  ]);
  return { ca, server, client, otherCa };
}

/** Without an issuer it signs itself. */
async function make(dir: string, name: string, extensions: readonly string[], issuer?: Certificate): Promise<Certificate> {
  const [keyFile, certFile, pemFile] = [`${name}.key`, `${name}.crt`, `${name}.pem`].map((file) => join(dir, file)) as [
    string,
    string,
    string,
  ];
  const [requestFile, extensionFile] = [join(dir, `${name}.csr`), join(dir, `${name}.ext`)];
  writeFileSync(extensionFile, extensions.map((extension) => `${extension}\n`).join(""));
  await run("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", keyFile]);
  await run("openssl", ["req", "-new", "-key", keyFile, "-subj", `/CN=waybill ${name}`, "-out", requestFile]);
  const signer = issuer ? ["-CA", issuer.certFile, "-CAkey", issuer.keyFile, "-set_serial", serial()] : ["-signkey", keyFile];
  await run("openssl", [
    "x509",
    "-req",
    "-in",
    requestFile,
    ...signer,
    "-days",
    "1",
    "-extfile",
    extensionFile,
    "-out",
    certFile,
  ]);
  writeFileSync(pemFile, `${readFileSync(keyFile, "utf8")}${readFileSync(certFile, "utf8")}`);
  return { certFile, keyFile, pemFile };
}

/** Some positive number: the files that openssl would count in are a race between two that are signed at once. */
function serial(): string {
  return String(Math.ceil(Math.random() * 2 ** 48));
}
