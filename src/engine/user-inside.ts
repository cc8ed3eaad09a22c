// Owns who this machine's user is in a container.
import type { Engine } from './engine.js'

interface User {
  gid: number
  uid: number
}

/** On a rootless engine that is root: there, root is the host user. */
export async function userInside(engine: Pick<Engine, 'isRootless'>, user: User): Promise<User> {
  return user.uid !== 0 && (await engine.isRootless()) ? { gid: 0, uid: 0 } : user
}
