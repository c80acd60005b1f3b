/** The parts of `amqp://user:password@host:port,host:port/vhost?name=value`. */
export interface UrlParts {
  readonly tls: boolean;
  readonly hosts: readonly string[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly vhost: string | undefined;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** Takes a URL apart, which the URL class does not do where it names several hosts. Problems never repeat what may be a secret. */
export function parseUrl(url: string, problems: string[]): UrlParts {
  const [, scheme, authority = "", path = "", query = ""] =
    /^(amqps?):\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url) ?? [];
  if (scheme === undefined) problems.push('the URL is not of the form "amqp://user:password@host:5672/vhost"');
  const at = authority.lastIndexOf("@");
  const [username, password] = at < 0 ? [] : splitOnce(authority.slice(0, at));
  return {
    tls: scheme === "amqps",
    hosts: authority
      .slice(at + 1)
      .split(",")
      .filter((host) => host !== ""),
    username: decode(username, "user name", problems),
    password: decode(password, "password", problems),
    vhost: path === "" ? undefined : decode(path, "virtual host", problems),
    parameters: [...new URLSearchParams(query)],
  };
}

function splitOnce(userInfo: string): [string, string | undefined] {
  const colon = userInfo.indexOf(":");
  return colon < 0 ? [userInfo, undefined] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
}

function decode(part: string | undefined, what: string, problems: string[]): string | undefined {
  try {
    return part === undefined ? undefined : decodeURIComponent(part);
  } catch {
    problems.push(`the ${what} in the URL is not percent-encoded as it should be`);
    return undefined;
  }
}
