// Owns what makes Java accept the proxy's certificates: it has authorities of its own, in a store, and takes one store in place of
// another. The one that it is given has what the image's own stores have, and the root.
import { posix } from 'node:path'
import { javaStoreFile } from '../../authority/bundle.js'
import { readJavaStore } from '../../authority/java-store.js'
import type { EngineFiles, ImageFacts } from '../../engine/files.js'
import { mountPoint } from './forwarder.js'

/** All that every Java reads. A user's own, `java -D…`, wins over it. */
export const javaVariable = 'JAVA_TOOL_OPTIONS'

/** In the directory of a Java: the one it takes, and the one it takes without that. */
const ownStores = ['lib/security/jssecacerts', 'lib/security/cacerts', 'jre/lib/security/cacerts']
/** Where distributions have the store of all their Javas, or the one that is theirs by default. */
const systemStores = [
  '/etc/ssl/certs/java/cacerts',
  '/etc/pki/ca-trust/extracted/java/cacerts',
  '/var/lib/ca-certificates/java-cacerts',
  '/usr/lib/jvm/default-java/lib/security/cacerts',
  '/usr/lib/jvm/default-jvm/lib/security/cacerts',
  '/usr/lib/jvm/default/lib/security/cacerts',
]
/** More is no store. */
const mostBytes = 8 * 1024 * 1024

/** Where an image can have its stores. */
export function javaStores({ environment }: Pick<ImageFacts, 'environment'>): string[] {
  const home = environment.JAVA_HOME
  return [...(home ? ownStores.map((path) => posix.join(home, path)) : []), ...systemStores]
}

/** The authorities of those of them that are there, as PEM. */
export async function readJavaStores(
  files: Pick<EngineFiles, 'readBytes'>,
  containerId: string,
  stores: readonly string[],
): Promise<string> {
  const found = await Promise.all(stores.map((path) => files.readBytes(containerId, path)))
  const texts = found.map((bytes) => (bytes && bytes.length <= mostBytes ? readJavaStore(bytes) : ''))
  return (await Promise.all(texts)).join('')
}

/** With what Java is told already; nothing where the image or the user names a store, or has the variable. */
export function javaTrustEnvironment(
  told: string | undefined,
  userEnv: Readonly<Record<string, string>>,
): Record<string, string> {
  if (javaVariable in userEnv || told?.includes('-Djavax.net.ssl.trustStore')) return {}
  const option = `-Djavax.net.ssl.trustStore=${mountPoint}/${javaStoreFile}`
  return { [javaVariable]: told ? `${told} ${option}` : option }
}
