// Owns which trust stores this user's machine has.
import { homedir } from 'node:os'
import type { MoatPaths } from '../../config/paths.js'
import { keychainStore } from './keychain.js'
import { nssStores } from './nss.js'
import type { StoreContext, TrustStore } from './store.js'
import { systemStore } from './system-linux.js'
import { windowsStore } from './windows.js'

/** The machine moat runs on. */
export function storeContext(paths: Pick<MoatPaths, 'trustMemory'>): StoreContext {
  return {
    env: process.env,
    memory: paths.trustMemory,
    platform: process.platform,
    systemRoot: '',
    userHome: homedir(),
  }
}

export async function findStores(context: StoreContext): Promise<TrustStore[]> {
  const system = context.platform === 'darwin' ? keychainStore : await systemStore(context)
  const windows = context.platform === 'linux' ? await windowsStore(context) : undefined
  return [system, windows, ...(await nssStores(context))].filter((store) => store !== undefined)
}
