// Owns what the system says of its processes. A number alone proves nothing: it is given to somebody else sooner or later.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { promisify } from 'node:util'

/** One process, and never another one that is given its number later. */
export interface ProcessIdentity {
  pid: number
  /** When it was started, in a unit of the platform's; good for comparing only. */
  startedAt: number
}

export interface ProcessFacts extends ProcessIdentity {
  /** What it was called with; where the system only tells one line (macOS), that line. */
  command: string[] | string
  /** The file that runs; undefined when the system does not say. */
  program?: string
  /** Its effective user. */
  uid: number
}

/** The process that has this number now; undefined when there is none, or only what is left of one that has ended. */
export async function readProcess(
  pid: number,
  platform: NodeJS.Platform = process.platform,
): Promise<ProcessFacts | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  return platform === 'linux' ? factsFromProc(pid) : (await factsFromPs(['-p', String(pid)]))[0]
}

/** The processes whose command line contains a text. */
export async function findProcesses(
  text: string,
  platform: NodeJS.Platform = process.platform,
): Promise<ProcessFacts[]> {
  if (platform !== 'linux') return (await factsFromPs(['-ax'])).filter(({ command }) => command.includes(text))
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && read(`/proc/${entry}/cmdline`).includes(text))
    .flatMap((entry) => factsFromProc(Number(entry)) ?? [])
}

/** True when the last arguments of the process are these. */
export function endsWithArguments({ command }: Pick<ProcessFacts, 'command'>, wanted: readonly string[]): boolean {
  if (typeof command === 'string') return command.endsWith(` ${wanted.join(' ')}`)
  return command.length > wanted.length && wanted.every((one, index) => command.at(index - wanted.length) === one)
}

function factsFromProc(pid: number): ProcessFacts | undefined {
  const stat = read(`/proc/${pid}/stat`)
  // After the name, which may contain anything: the state, and, 19 fields on, the start in ticks since boot.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const uid = /^Uid:\t\d+\t(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1]
  const startedAt = Number(fields[19])
  if (uid === undefined || !Number.isFinite(startedAt) || isOver(fields[0])) return undefined
  const program = linkOf(`/proc/${pid}/exe`)
  return {
    command: read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1),
    pid,
    ...(program !== undefined && { program: program.replace(/ \(deleted\)$/, '') }),
    startedAt,
    uid: Number(uid),
  }
}

const psColumns = ['-ww', '-o', 'pid=,uid=,state=,lstart=,command=']

async function factsFromPs(which: string[]): Promise<ProcessFacts[]> {
  // In English: the date is read. Without a match ps fails, and has said nothing.
  const env = { ...process.env, LC_ALL: 'C' }
  const asked = promisify(execFile)('ps', [...psColumns, ...which], { env, maxBuffer: 64_000_000, timeout: 5_000 })
  const lines = await asked.then(({ stdout }) => stdout).catch(() => '')
  return parsePs(lines)
}

/** Lines of `ps -o pid=,uid=,state=,lstart=,command=`. */
export function parsePs(lines: string): ProcessFacts[] {
  return lines.split('\n').flatMap((line) => {
    const [, pid, uid, state, start, command] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+((?:\S+\s+){4}\d{4})\s+(.+)$/.exec(line) ?? []
    if (command === undefined || isOver(state?.[0])) return []
    return [{ command: command.trimEnd(), pid: Number(pid), startedAt: Date.parse(start ?? ''), uid: Number(uid) }]
  })
}

/** Ended; only its parent has not asked how. */
function isOver(state: string | undefined): boolean {
  return state === 'Z' || state === 'X'
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
