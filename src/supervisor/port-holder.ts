// Owns the answer to "which process listens on this port?", for the message about a port that is taken.
import { execFile } from 'node:child_process'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { startAsInvokingUser } from '../config/invoking-user.js'

export interface PortHolder {
  command: string
  pid: number
}

/** The process that listens on a TCP port of this machine; undefined when this user may not see it. */
export async function findPortHolder(
  port: number,
  platform: NodeJS.Platform = process.platform,
): Promise<PortHolder | undefined> {
  return platform === 'linux' ? holderFromProc(port) : holderFromLsof(port)
}

/** Linux: the socket's inode from /proc/net, then the process that has it open. Needs no tool to be installed. */
async function holderFromProc(port: number): Promise<PortHolder | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readOr(path, '')))
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`))
  if (inodes.size === 0) return undefined
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const descriptors = await readdir(`/proc/${entry}/fd`).catch(() => [])
    const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${entry}/fd/${fd}`).catch(() => '')))
    if (links.some((link) => inodes.has(link))) {
      return { command: await programOf(entry), pid: Number(entry) }
    }
  }
  return undefined
}

/** The program's file name. Not `comm`, which a program can set to anything (Node says MainThread). */
async function programOf(pid: string): Promise<string> {
  const [program = ''] = (await readOr(`/proc/${pid}/cmdline`, '')).split('\0')
  return basename(program) || (await readOr(`/proc/${pid}/comm`, 'unknown')).trim()
}

/** Inodes of the sockets in state LISTEN (0A) on a port, from the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === '0A')
    .flatMap((fields) => fields[9] ?? [])
}

async function holderFromLsof(port: number): Promise<PortHolder | undefined> {
  try {
    const args = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc']
    const { stdout } = await startAsInvokingUser((ids) => promisify(execFile)('lsof', args, ids))
    const pid = /^p(\d+)$/m.exec(stdout)?.[1]
    return pid ? { command: /^c(.+)$/m.exec(stdout)?.[1] ?? 'unknown', pid: Number(pid) } : undefined
  } catch {
    // The holder is an extra in an error message: without lsof the message does without it.
    return undefined
  }
}

async function readOr(path: string, fallback: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => fallback)
}
