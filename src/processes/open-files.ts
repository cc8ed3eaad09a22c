// Owns what a process has open: a file, and the ports it listens on. On Linux only; elsewhere nobody can say, cheaply.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'

/** True when the process has this very file open; undefined when the system does not say. */
export function hasOpen(pid: number, file: string): boolean | undefined {
  const wanted = statSync(file, { throwIfNoEntry: false })
  const descriptors = descriptorsOf(pid)
  if (!descriptors) return undefined
  return descriptors.some((path) => {
    try {
      const found = statSync(path)
      return wanted !== undefined && found.dev === wanted.dev && found.ino === wanted.ino
    } catch {
      return false
    }
  })
}

/** The TCP ports on which the process listens; undefined when the system does not say. */
export function listeningPorts(pid: number): number[] | undefined {
  const descriptors = descriptorsOf(pid)
  if (!descriptors) return undefined
  const inodes = new Set(descriptors.flatMap((path) => /^socket:\[(\d+)\]$/.exec(linkOf(path))?.[1] ?? []))
  const ports = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readTable(table)
      .filter(({ inode, listening }) => listening && inodes.has(inode))
      .map(({ port }) => port),
  )
  return [...new Set(ports)].toSorted((a, b) => a - b)
}

function readTable(path: string): { inode: string; listening: boolean; port: number }[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n').slice(1)
    return lines.map((line) => {
      const fields = line.trim().split(/\s+/)
      const port = Number.parseInt(fields[1]?.split(':')[1] ?? '', 16)
      return { inode: fields[9] ?? '', listening: fields[3] === '0A', port }
    })
  } catch {
    return []
  }
}

function descriptorsOf(pid: number): string[] | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`)
  } catch {
    return undefined
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
