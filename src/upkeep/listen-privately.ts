// Owns unix sockets that stay: a server whose file is removed or replaced makes it again. Most are for this user only.
import type { Server } from 'node:net'
import { clearPath } from '../config/clear-path.js'
import { fileMark } from './file-mark.js'
import { lookAgain } from './look-again.js'

/** What is taken from everybody else; from all, to run it. */
const masks = { everybody: 0o111, owner: 0o177 }

export interface PrivateListener {
  /** The file may go from now on. Connections and server are the caller's to close. */
  release(): void
}

/** The caller holds the supervisor lock, so a file in the socket's place is a dead supervisor's. */
export function listenPrivately(server: Server, path: string): Promise<PrivateListener> {
  return listenInPlace(server, path, 'owner')
}

/** Nobody else makes sockets at this path. `everybody` who reaches the directory, that is. */
export async function listenInPlace(server: Server, path: string, who: keyof typeof masks): Promise<PrivateListener> {
  let mark = await listen(server, path, masks[who])
  let making = false
  let released = false
  const look = async () => {
    if (making || fileMark(path) === mark) return
    making = true
    // Connections that are open stay so; only the file is another.
    if (server.listening) server.close()
    try {
      mark = await listen(server, path, masks[who])
      if (released) server.close()
    } catch {
      // A full disk, perhaps: the next look tries again.
    }
    making = false
    looking.again()
  }
  // One that was not made again is tried again.
  const looking = lookAgain([path], look, () => !making && fileMark(path) !== mark)
  return {
    release: () => {
      released = true
      looking.release()
    },
  }
}

async function listen(server: Server, path: string, mask: number): Promise<string | undefined> {
  await clearPath(path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // The file is made within this call: it never has another mode, not even for a moment.
    const before = process.umask(mask)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
    process.umask(before)
  })
  return fileMark(path)
}
