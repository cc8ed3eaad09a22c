// Owns the system's keychain: the Secret Service on Linux, the Keychain of macOS, the credentials of Windows. Nothing in here asks a
// person: what would need an answer is given up after a while.
import { MoatError } from '../errors.js'

const service = 'moat'
/** A keychain that is locked may have its desktop ask; who is not there cannot answer. Milliseconds. */
const patience = 5_000

export interface Keychain {
  get(account: string): Promise<string | null>
  remove(account: string): Promise<boolean>
  /** False where it does not come back as it was. */
  set(account: string, text: string): Promise<boolean>
}

/** Undefined where there is none, or none is wanted: MOAT_KEYCHAIN=off. */
export async function openKeychain(env: NodeJS.ProcessEnv = process.env): Promise<Keychain | undefined> {
  if (env.MOAT_KEYCHAIN === 'off') return undefined
  // Without a bus there is no Secret Service, and the kernel's keys, the other choice, are gone after a restart.
  if (process.platform === 'linux' && !env.DBUS_SESSION_BUS_ADDRESS) return undefined
  // Native code, of which there is none for some systems.
  const library = await import('@napi-rs/keyring').catch(() => undefined)
  if (!library) return undefined
  const entry = (account: string) => new library.AsyncEntry(service, account, { linux: { store: 'secret-service' } })
  const get = async (account: string) => inTime((signal) => entry(account).getPassword(signal))
  return {
    get,
    remove: (account) => inTime((signal) => entry(account).deletePassword(signal)),
    set: async (account, text) => {
      await inTime((signal) => entry(account).setPassword(text, signal))
      return (await get(account)) === text
    },
  }
}

async function inTime<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(patience)
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new MoatError('GRANTS_BROKEN', `The keychain gave no answer within ${patience / 1000} s: is it locked?`))
    })
  })
  return Promise.race([late, ask(signal)])
}
