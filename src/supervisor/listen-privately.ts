// Owns unix sockets that only this user can open.
import { chmod, rm } from 'node:fs/promises'
import type { Server } from 'node:net'

/** The caller holds the supervisor lock, so a file in the socket's place is a dead supervisor's. */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  await rm(path, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  await chmod(path, 0o600)
}
