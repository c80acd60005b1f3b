/** One certificate and its key, as files. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly pemFile: string;
}
export interface Certificates {
  readonly ca: Certificate;
  readonly server: Certificate;
  readonly client: Certificate;
}
