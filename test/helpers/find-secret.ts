// Looks for a secret, byte for byte and in other forms, in all that this machine shows of an agent.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Sandbox } from './sandbox.js'

/** Places where the secrets were found, each with its form; none is what a test wants. `seen`: other texts, by their names. */
export async function findSecrets(
  secrets: readonly string[],
  sandbox: Sandbox,
  seen: Readonly<Record<string, Buffer | string>> = {},
): Promise<string[]> {
  const places = new Map<string, Buffer>(Object.entries(seen).map(([name, text]) => [name, Buffer.from(text)]))
  for (const file of filesBelow(sandbox.home)) places.set(file, readFileSync(file))
  for (const { Id } of await sandbox.containers()) {
    const container = sandbox.docker.getContainer(Id)
    places.set(`docker inspect ${Id}`, Buffer.from(JSON.stringify(await container.inspect())))
    // All that it has besides its image: directories that are new, whole, and single files elsewhere.
    const changes = ((await container.changes()) ?? []) as { Kind: number; Path: string }[]
    const added = new Set(changes.filter(({ Kind }) => Kind === 1).map(({ Path }) => Path))
    const tops = changes.filter(({ Path }) => {
      const isParent = changes.some((other) => other.Path.startsWith(`${Path}/`))
      return !added.has(dirname(Path)) && (added.has(Path) || !isParent)
    })
    for (const { Path } of tops) {
      const archive = await container.getArchive({ path: Path }).catch(() => undefined)
      if (archive) places.set(`${Path} of ${Id}`, await bytesOf(archive))
    }
    places.set(`docker logs ${Id}`, Buffer.from(await container.logs({ stderr: true, stdout: true })))
  }
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    for (const name of ['cmdline', 'environ']) {
      try {
        places.set(`/proc/${pid}/${name}`, readFileSync(`/proc/${pid}/${name}`))
      } catch {
        // It has ended, or is another user's.
      }
    }
  }
  const forms = secrets.flatMap(formsOf)
  return [...places].flatMap(([place, bytes]) =>
    forms.flatMap(([form, text]) => (bytes.includes(text) ? [`${form} in ${place}`] : [])),
  )
}

/** Without the first and last letters in Base64, which depend on what stands beside it. */
function formsOf(secret: string): [form: string, text: string][] {
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].map((before): [string, string] => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    return [`Base64 after ${before}`, text.slice(4, -4)]
  })
  const forUrls = base64.map(([form, text]): [string, string] => [
    `${form}, for URLs`,
    text.replaceAll('+', '-').replaceAll('/', '_'),
  ])
  const hex = bytes.toString('hex')
  const all: [string, string][] = [
    ['itself', secret],
    ['hex', hex],
    ['hex in capitals', hex.toUpperCase()],
    ['for a URL', encodeURIComponent(secret)],
    ...base64,
    ...forUrls,
  ]
  // Of many, some are the same text.
  return [...new Map(all.map(([form, text]) => [text, [form, text] as [string, string]])).values()]
}

function filesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

async function bytesOf(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}
