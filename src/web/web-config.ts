/** How clients have to show who they are, as Go's `crypto/tls` names it. */
export type ClientAuth =
  | 'NoClientCert'
  | 'RequestClientCert'
  | 'RequireAnyClientCert'
  | 'VerifyClientCertIfGiven'
  | 'RequireAndVerifyClientCert';

export type TlsVersion = 'TLS10' | 'TLS11' | 'TLS12' | 'TLS13';

/** TLS of the web server. Certificate, key and authority are PEM texts. */
export type WebTls = Readonly<{
  cert: string;
  key: string;
  clientCa: string | undefined;
  clientAuth: ClientAuth;
  /** Names of which a verified client certificate must have one; empty: any will do. */
  allowedSans: readonly string[];
  minVersion: TlsVersion;
  maxVersion: TlsVersion;
}>;

/** How the web server is protected. */
export type WebConfig = Readonly<{
  /** Undefined: plain HTTP. */
  tls: WebTls | undefined;
  /** bcrypt hashes by user name; empty: nobody has to log in. */
  users: Readonly<Record<string, string>>;
  /** Response headers to set, in place of ours of the same name. */
  headers: Readonly<Record<string, string>>;
}>;

/** Plain HTTP for everybody. */
export const openWeb: WebConfig = { tls: undefined, users: {}, headers: {} };
