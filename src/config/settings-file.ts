// Owns the schema of ~/.moat/config.yaml. Apart from settings.ts because it loads zod, which takes time.
import { z } from 'zod'
import { checkConfig, parseConfig } from './load-yaml.js'
import { collectionError, domain, portNumber, text as textValue } from './schema-parts.js'

/** What the user has set in config.yaml. */
export interface Settings {
  caddy: { mirror?: string }
  proxy: { domain?: string; port?: number }
}

const proxy = z.strictObject(
  { domain: domain.optional(), port: portNumber.optional() },
  { error: collectionError('a mapping such as {port: 8080}') },
)

const caddy = z.strictObject(
  { mirror: textValue().optional() },
  { error: collectionError("a mapping such as {mirror: 'https://mirror.example/caddy-{os}-{arch}'}") },
)

const schema = z.strictObject(
  { caddy: caddy.optional(), proxy: proxy.optional() },
  { error: collectionError('a mapping such as {proxy: {port: 8080}}') },
)

const knownKeys = {
  '': Object.keys(schema.shape),
  caddy: Object.keys(caddy.shape),
  proxy: Object.keys(proxy.shape),
}

/** The settings in the text of the file; an empty one sets nothing. Throws one CONFIG_INVALID with every problem. */
export async function parseSettings(displayFile: string, text: string): Promise<Settings> {
  const source = parseConfig(displayFile, text)
  if (!source) return { caddy: {}, proxy: {} }
  const settings = await checkConfig(displayFile, text, source, schema, knownKeys)
  const mirror = settings.caddy?.mirror
  const { domain, port } = settings.proxy ?? {}
  return {
    caddy: mirror === undefined ? {} : { mirror },
    proxy: { ...(domain !== undefined && { domain }), ...(port !== undefined && { port }) },
  }
}
