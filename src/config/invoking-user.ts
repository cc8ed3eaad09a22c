// Owns "on whose behalf": under sudo, moat acts as the user who called sudo, so that no file of theirs becomes root's.
import { userInfo } from 'node:os'

/**
 * Under sudo, gives up root's rights for all file access, and sets HOME, before anything else runs. The process can
 * take them back for the one thing that needs them: binding a port below 1024 (`asRoot`).
 */
export function actAsInvokingUser(env: NodeJS.ProcessEnv = process.env): void {
  // Root's groups cannot be changed a second time, by who acts as somebody else already.
  if (process.getuid?.() !== 0 || process.geteuid?.() !== 0) return
  const uid = Number(env.SUDO_UID)
  const gid = Number(env.SUDO_GID)
  if (!env.SUDO_UID || !env.SUDO_GID || !Number.isInteger(uid) || !Number.isInteger(gid) || uid === 0) return
  // The user's own groups: the container engine's socket is often open to a group only.
  if (env.SUDO_USER) initgroups(env.SUDO_USER, gid)
  process.setegid?.(gid)
  process.seteuid?.(uid)
  env.HOME = homeOf(uid) ?? env.HOME
}

/**
 * Gives root's rights up for good: for what runs other people's programs, such as npm and the scripts of a package it
 * installs, and needs no port.
 */
export function stayInvokingUser(): void {
  const [uid, gid] = [process.geteuid?.(), process.getegid?.()]
  if (uid === undefined || gid === undefined || uid === process.getuid?.()) return
  process.seteuid?.(process.getuid?.() ?? uid)
  process.setgid?.(gid)
  process.setuid?.(uid)
}

/** Undefined for a user without an entry in the password database. */
function homeOf(uid: number): string | undefined {
  try {
    const { homedir, uid: found } = userInfo()
    return found === uid ? homedir : undefined
  } catch {
    return undefined
  }
}

/** Runs `action` with the rights the process was started with. */
export async function asRoot<T>(action: () => Promise<T> | T): Promise<T> {
  const user = process.geteuid?.()
  if (user === undefined || user === process.getuid?.()) return action()
  process.seteuid?.(process.getuid?.() ?? user)
  try {
    return await action()
  } finally {
    process.seteuid?.(user)
  }
}

/** The user on whose behalf moat acts: owner of what an agent writes. Root where the platform has no user ids. */
export function hostUser(): { gid: number; uid: number } {
  return { gid: process.getegid?.() ?? 0, uid: process.geteuid?.() ?? 0 }
}

/**
 * Starts a child that cannot become root again: dropping only the effective ids would leave root within its reach.
 * `start` is given the ids for the child; it must not wait for it.
 */
export function startAsInvokingUser<T>(start: (ids: { gid?: number; uid?: number }) => T): T {
  const [uid, gid] = [process.geteuid?.(), process.getegid?.()]
  const real = process.getuid?.()
  if (uid === undefined || gid === undefined || real === undefined || uid === real) return start({})
  process.seteuid?.(real)
  try {
    return start({ gid, uid })
  } finally {
    process.seteuid?.(uid)
  }
}

/** Node has process.initgroups on every POSIX system; its type declarations lack it. */
function initgroups(user: string, gid: number): void {
  ;(process as unknown as { initgroups?: (user: string, group: number) => void }).initgroups?.(user, gid)
}
