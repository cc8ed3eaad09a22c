// Owns the check of moat's own files: that all of them are this user's, and that nobody else can reach the private ones.
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hostUser } from '../config/invoking-user.js'
import { displayPath } from '../config/paths.js'
import { systemCode } from '../errors.js'
import { type DoctorContext, type Finding, fail, ok, warn } from './diagnosis.js'
import { type Repair, repairCommand } from './repair.js'

/** Certificates of many hosts add up; nobody needs to hear of all of them. Entries. */
const mostEntries = 20_000
/** Foreign files that are named. */
const shown = 3

export async function checkState(
  { paths }: DoctorContext,
  user: { gid: number; uid: number } = hostUser(),
): Promise<Finding[]> {
  const home = displayPath(paths.home)
  // What is in agents' directories, and in their caches, is theirs; nobody else can open the directory that they are in.
  const entries = await entriesOf(paths.home, [paths.agents, paths.packages])
  if (entries.length === 0) return [ok('files', `${home} does not exist yet.`)]
  const foreign = entries.filter(({ uid }) => uid !== user.uid)
  if (foreign.length > 0) {
    const argv: [string, ...string[]] = ['chown', '-R', `${user.uid}:${user.gid}`, paths.home]
    const repair: Repair = { argv, kind: 'command', privileged: true }
    const names = foreign
      .slice(0, shown)
      .map(({ path, uid }) => `${displayPath(path)} (${uid === 0 ? 'root' : `user ${uid}`})`)
    const more = foreign.length > shown ? ` and ${foreign.length - shown} more` : ''
    return [fail('files', `Not yours: ${names.join(', ')}${more}.`, [repairCommand(repair)], repair)]
  }
  const open = entries.filter(({ mode, path }) => [paths.agents, paths.proxy].includes(path) && (mode & 0o077) !== 0)
  const writable = entries.filter(({ isLink, mode }) => !isLink && (mode & 0o022) !== 0)
  const exposed = [...open, ...writable][0]
  if (exposed) {
    const repair: Repair = { argv: ['chmod', '-R', 'go-w', paths.home], kind: 'command', privileged: false }
    if (open.length > 0) repair.argv = ['chmod', '700', exposed.path]
    const message = `Other users can reach ${displayPath(exposed.path)} (mode ${(exposed.mode & 0o777).toString(8)}).`
    return [warn('files', message, [repairCommand(repair)], repair)]
  }
  return [ok('files', `Everything in ${home} is yours alone.`)]
}

interface Entry {
  isLink: boolean
  mode: number
  path: string
  uid: number
}

/** The directory and all below it, but for what is in those `closed`; empty when it does not exist. What cannot be entered is listed without its content. */
async function entriesOf(directory: string, closed: readonly string[]): Promise<Entry[]> {
  const entries: Entry[] = []
  const queue = [directory]
  for (let path = queue.shift(); path !== undefined && entries.length < mostEntries; path = queue.shift()) {
    try {
      const stats = await lstat(path)
      entries.push({ isLink: stats.isSymbolicLink(), mode: stats.mode, path, uid: stats.uid })
      if (stats.isDirectory() && !closed.includes(path))
        queue.push(...(await readdir(path)).map((name) => join(path as string, name)))
    } catch (error) {
      // Gone meanwhile, or another user's: its owner has been noted.
      if (!['EACCES', 'ENOENT'].includes(systemCode(error) ?? '')) throw error
    }
  }
  return entries
}
