// Owns what a git tree cannot say of a snapshot: modes but for one bit, directories without files, links with names that git refuses,
// and what was left alone. Kept beside the files as JSON. Pure.
import { z } from 'zod'
import type { Entry, Tree } from './tree.js'

type Class = 'directory' | 'executable' | 'file'

const paths = z.array(z.string())
const schema = z.strictObject({
  /** Raw paths, all of them. */
  empty: paths,
  left: z.array(z.tuple([z.string(), z.string()])),
  links: paths,
  /** Those that have another mode than is usual. */
  modes: z.array(z.tuple([z.number(), paths])),
  usual: z.strictObject({ directory: z.number(), executable: z.number(), file: z.number() }),
  version: z.literal(1),
})

/** How git is told of a file or link. */
export function gitMode(path: string, entry: Entry): '100644' | '100755' | '120000' {
  if (entry.kind === 'link') return isRefusedLink(path) ? '100644' : '120000'
  return (entry.mode & 0o100) === 0 ? '100644' : '100755'
}

/** `.gitmodules`, in any case of letters, and whatever a later git thinks of. */
function isRefusedLink(path: string): boolean {
  return /(?:^|\/)\.git[^/]*$/i.test(path)
}

export function writeFacts({ entries, left }: Tree): Buffer {
  const counts = {
    directory: new Map<number, number>(),
    executable: new Map<number, number>(),
    file: new Map<number, number>(),
  }
  for (const entry of entries.values()) {
    if (entry.kind === 'link') continue
    const own = counts[classOf(entry)]
    own.set(entry.mode, (own.get(entry.mode) ?? 0) + 1)
  }
  const most = (own: Map<number, number>, otherwise: number) =>
    [...own].toSorted((one, other) => other[1] - one[1] || one[0] - other[0])[0]?.[0] ?? otherwise
  const usual = {
    directory: most(counts.directory, 0o755),
    executable: most(counts.executable, 0o755),
    file: most(counts.file, 0o644),
  }
  const modes = new Map<number, string[]>()
  for (const [path, entry] of entries) {
    if (entry.kind === 'link' || entry.mode === usual[classOf(entry)]) continue
    const own = modes.get(entry.mode)
    if (own) own.push(path)
    else modes.set(entry.mode, [path])
  }
  const all = [...entries]
  const facts: z.output<typeof schema> = {
    empty: emptyDirectories(entries),
    left: [...left],
    links: all.flatMap(([path, { kind }]) => (kind === 'link' && isRefusedLink(path) ? [path] : [])),
    modes: [...modes],
    usual,
    version: 1,
  }
  return Buffer.from(JSON.stringify(facts))
}

/** The tree of what git lists (`mode type id\tpath`) and what `writeFacts` wrote. */
export function readTree(listed: string, factsText: string): Tree {
  const facts = schema.parse(JSON.parse(factsText))
  const links = new Set(facts.links)
  const modes = new Map(facts.modes.flatMap(([mode, own]) => own.map((path): [string, number] => [path, mode])))
  const entries = new Map<string, Entry>()
  const addDirectories = (path: string) => {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end)
      if (entries.has(parent)) return
      entries.set(parent, { kind: 'directory', mode: modes.get(parent) ?? facts.usual.directory })
    }
  }
  for (const line of listed.split('\0')) {
    const tab = line.indexOf('\t')
    if (tab < 0) continue
    const [mode, , id = ''] = line.slice(0, tab).split(' ')
    const path = line.slice(tab + 1)
    addDirectories(path)
    if (mode === '120000' || links.has(path)) entries.set(path, { id, kind: 'link', mode: 0 })
    else {
      const usual = mode === '100755' ? facts.usual.executable : facts.usual.file
      entries.set(path, { id, kind: 'file', mode: modes.get(path) ?? usual })
    }
  }
  for (const path of facts.empty) {
    addDirectories(`${path}/`)
  }
  return { entries, left: new Map(facts.left) }
}

function classOf(entry: Entry): Class {
  if (entry.kind === 'directory') return 'directory'
  return (entry.mode & 0o100) === 0 ? 'file' : 'executable'
}

function emptyDirectories(entries: ReadonlyMap<string, Entry>): string[] {
  const full = new Set<string>()
  for (const path of entries.keys()) if (path.includes('/')) full.add(path.slice(0, path.lastIndexOf('/')))
  return [...entries].flatMap(([path, { kind }]) => (kind === 'directory' && !full.has(path) ? [path] : []))
}
