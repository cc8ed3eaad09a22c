// Owns what host, port and path an https URL of a provider leads to, `{host}` in it left as it is. Pure.

export interface UrlPlace {
  host: string
  path: string
  port: number
}

/** Undefined for what is no https URL, or has a user in it. */
export function placeOfUrl(text: string): UrlPlace | undefined {
  const [, host, port = '443', path = '/'] =
    /^https:\/\/([a-z0-9.-]+|\{host\})(?::(\d{1,5}))?(\/[\x21-\x7e]*)?$/.exec(text) ?? []
  return host === undefined ? undefined : { host, path, port: Number(port) }
}
