// Owns that Java in a container accepts what the second authority signs, for the hosts that are opened. Java reads one store, in place
// of its own: it is given one with all that the image trusts. Where nothing is opened it keeps its own, which may have more in it.
import { posix } from 'node:path'
import { javaStoreFile } from '../authority/bundle.js'
import type { MoatPaths } from '../config/paths.js'

const setting = '-Djavax.net.ssl.trustStore'

/** True where the container sees the second authority, as src/agents/trusted-roots.ts says. */
export function needsJavaStore(paths: Pick<MoatPaths, 'publicCertificate' | 'publicEgressCertificate'>): boolean {
  return paths.publicCertificate === paths.publicEgressCertificate
}

/** What Java is told; nothing where the image has told it of another store. `directory` is the run's, in the container. */
export function javaTrust(
  paths: Pick<MoatPaths, 'publicCertificate' | 'publicEgressCertificate'>,
  directory: string,
  given = '',
): string[] {
  if (!needsJavaStore(paths) || given.includes(`${setting}=`)) return []
  return [`${setting}=${posix.join(directory, javaStoreFile)}`]
}
