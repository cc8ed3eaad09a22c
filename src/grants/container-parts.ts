// Owns what a container is given in the place of values: variables, files and settings of git. Pure.
import type { Grant } from './grant.js'
import type { Secret } from './injection.js'

/** Where the files lie in the container. */
export const grantFiles = '/usr/local/share/moat/grants'

export interface ContainerParts {
  env: Record<string, string>
  /** With absolute paths. */
  files: { path: string; text: string }[]
  git: [key: string, value: string][]
}

/** `secret` is there for the grants that reveal it, and for no others. */
export function containerParts(grants: readonly { grant: Grant; secret?: Secret }[]): ContainerParts {
  const parts: ContainerParts = { env: {}, files: [], git: [] }
  for (const { grant, secret } of grants) {
    const { container = {}, name: provider } = grant.provider
    const path = (file: string) => `${grantFiles}/${provider}/${file}`
    const fill = (text: string) => fillText(text, path, secret)
    for (const [name, text] of Object.entries(container.files ?? {})) {
      const known = parts.files.find((file) => file.path === path(name))
      // Two registries of one tool: it reads one file.
      if (known) known.text += fill(text)
      else parts.files.push({ path: path(name), text: fill(text) })
    }
    for (const [name, text] of Object.entries(container.env ?? {})) parts.env[name] = fill(text)
    for (const [key, value] of Object.entries(container.git ?? {})) parts.git.push([key, fill(value)])
  }
  return parts
}

function fillText(text: string, path: (file: string) => string, secret: Secret = {}): string {
  return text.replace(
    /\{(?:(placeholder|file):([\w.-]+)|(\w+))\}/g,
    (whole, kind: string, argument: string, field: string) => {
      if (kind === 'file') return path(argument)
      if (kind === 'placeholder') return placeholder(Number(argument))
      return Object.hasOwn(secret, field) ? (secret[field] ?? '') : whole
    },
  )
}

/** What looks like a value, and is recognised by whoever finds it in a log. */
function placeholder(length: number): string {
  return 'moatPlaceholder0'.repeat(Math.ceil(length / 16)).slice(0, length)
}
