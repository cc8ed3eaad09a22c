// Owns where in a container something may be mounted: what moat itself has there stays as it is. Pure.
import { posix } from 'node:path'

/** Where the workspace is mounted in every agent. */
export const workspaceTarget = '/workspace'

/** What moat mounts in containers, by what it is for. */
const own: Readonly<Record<string, string>> = {
  '/etc/moat': 'has its certificate',
  '/run/moat': 'has its sockets',
  '/var/cache/moat': 'keeps what package managers have downloaded',
}
/** What the kernel shows there is no directory to be mounted over. */
const kernel = ['/dev', '/proc', '/sys']

/** Where programs and their libraries are that moat itself runs in a container, as root. */
const system = /^\/(usr\/)?(bin|sbin|lib|lib32|lib64|libx32|libexec)(\/|$)|^\/(usr|etc)$/

/** True for a directory by which whoever writes there has a say in what root runs. `target` is a normal one. */
export function hidesSystem(target: string): boolean {
  return system.test(target)
}

/** A target as the engine will have it: without `..`, double slashes and one at the end. */
export function normalTarget(target: string): string {
  return posix.normalize(target).replace(/(?<=.)\/$/, '')
}

/** What is wrong with a target, as the end of a sentence about the mount; undefined if nothing is. */
export function targetProblem(target: string): string | undefined {
  if (!target.startsWith('/')) return `has the target ${quote(target)}, which must be an absolute path in the container`
  const normal = normalTarget(target)
  if (normal === '/') return 'has the target "/", which would hide the whole container'
  if (normal === workspaceTarget) return `has the target "${workspaceTarget}", where the workspace already is`
  const mine = Object.keys(own).find((path) => isAtOrBelow(path, normal))
  return mine && `has the target ${quote(normal)}, where moat ${own[mine]}`
}

/** The same for what hides what is there: a volume, or memory. */
export function coverProblem(target: string): string | undefined {
  const problem = targetProblem(target)
  if (problem !== undefined) return problem
  const normal = normalTarget(target)
  // A colon would be read as the mode by some engines, and a line break is nobody's wish.
  if (/[\p{Cc}:]/u.test(normal))
    return `has the target ${quote(normal)}; a target has no colons and no control characters`
  if (kernel.some((path) => isAtOrBelow(path, normal)))
    return `has the target ${quote(normal)}, where the kernel shows what it knows`
  if (hidesSystem(normal)) return `has the target ${quote(normal)}, where the system's own programs are`
  // git's own files are protected where they lie.
  const parts = posix.relative(workspaceTarget, normal).toLowerCase().split('/')
  if (parts[0] !== '..' && parts.includes('.git')) return `has the target ${quote(normal)}, where git's own files are`
  return undefined
}

export function isAtOrBelow(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}

function quote(text: string): string {
  return JSON.stringify(text)
}
