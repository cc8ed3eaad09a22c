// Owns which changes of a repository's config are those of ordinary work, whoever has made them, and which may have its user's git run
// a program or send its work elsewhere: pure.
import { type ConfigEntry, mayRun } from '../worktrees/repository-config.js'

/** A switch, a number or a name. No program can be told what to do in one. */
const plain = /^[\w.+-]*$/
/** Whatever the value: what git and those who work with it write of branches. `mergeoptions` may name a strategy, which is a program. */
const ofBranches = /^branch\..+\.(?!mergeoptions$|pushremote$|remote$)[\w-]+$/s
const remoteNames = /^(branch\..+\.(pushremote|remote)|checkout\.defaultremote|remote\.pushdefault)$/s
const url = /^(remote|submodule)\.(.+)\.(pushurl|url)$/s
const ofPeople = /^(author|committer|user)\.(email|name)$|^remote\..+\.fetch$/s
/** Plain values of these matter too: whom to believe, what to call a path, how the repository is read. */
const heavy = /^(core\.(bare|protect.+)|extensions\.(?!worktreeconfig$).+|http\..+|url\..+)$/s
/** Over the network: a path leads to a repository with hooks, which a push runs. */
const network = /^((git|https?|ssh|git\+ssh):\/\/[^-/]|\w[\w.-]*@\w[\w.-]*:(?!:))/i

/**
 * What is new in a config and not harmless; what is gone is never asked about. `earlier` are remotes it has had before: none of them
 * leads elsewhere because it was taken away for a moment. `allowed` is let be.
 */
export function suspectEntries(
  before: readonly ConfigEntry[],
  after: readonly ConfigEntry[],
  earlier: ReadonlySet<string> = new Set(),
  allowed: readonly ConfigEntry[] = [],
): ConfigEntry[] {
  const remotes = { known: new Set([...earlier, ...remotesOf(before)]), now: new Set(remotesOf(after)) }
  const isAllowed = ({ key, value }: ConfigEntry) => allowed.some((one) => one.key === key && one.value === value)
  const weighty = (entries: readonly ConfigEntry[]) =>
    entries.filter((entry) => !isOrdinary(entry, remotes) && !isAllowed(entry))
  const [old, now] = [weighty(before), weighty(after)]
  let at = 0
  // In the same order: of several values git takes the last.
  return now.filter(({ key, value }) => {
    const same = old.findIndex((entry, index) => index >= at && entry.key === key && entry.value === value)
    if (same >= 0) at = same + 1
    return same < 0
  })
}

/** Their keys, each once. */
export function suspectKeys(...configs: Parameters<typeof suspectEntries>): string[] {
  return [...new Set(suspectEntries(...configs).map(({ key }) => key))]
}

interface Remotes {
  known: ReadonlySet<string>
  now: ReadonlySet<string>
}

function isOrdinary(entry: ConfigEntry, { known, now }: Remotes): boolean {
  const { key, value = '' } = entry
  if (mayRun(entry) || heavy.test(key)) return false
  // Without a URL of its own, a remote's name is a path.
  if (remoteNames.test(key)) return value === '.' || now.has(value)
  const [, section, name = ''] = url.exec(key) ?? []
  if (section !== undefined) return network.test(value) && !(section === 'remote' && known.has(name))
  return ofBranches.test(key) || ofPeople.test(key) || plain.test(value)
}

export function remotesOf(entries: readonly ConfigEntry[]): string[] {
  return entries.flatMap(({ key }) => /^remote\.(.+)\.url$/s.exec(key)?.[1] ?? [])
}
