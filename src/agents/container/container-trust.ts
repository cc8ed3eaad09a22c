// Owns what makes programs in a container accept the proxy's certificates. The directory with the root is mounted, and
//
// - OpenSSL, and with it curl and Python, and Go look into each directory of SSL_CERT_DIR. The mounted one has the root under
//   the name that OpenSSL looks for;
// - Node reads NODE_EXTRA_CA_CERTS, one file, and Deno DENO_CERT, both beside their own authorities;
// - Chromium and Chrome obey policies, one of which names authorities. A policy is a file in a directory of theirs.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { chromiumPolicy } from '../../authority/publish-root.js'
import type { MoatPaths } from '../../config/paths.js'
import type { ContainerSpec, Engine } from '../../engine/engine.js'
import type { ImageFacts } from '../../engine/files.js'

/** Where the directory with the root certificate is mounted. */
export const certificateMount = '/etc/moat'
export const certificateFile = `${certificateMount}/ca.crt`

const directoryVariable = 'SSL_CERT_DIR'
/** Where OpenSSL and Go look in most images, when nothing is said. */
const usualDirectory = '/etc/ssl/certs'

const nodeVariable = 'NODE_EXTRA_CA_CERTS'
const denoVariable = 'DENO_CERT'
/** What the image has for Node, and the root. */
const nodeDirectory = '/usr/local/share/moat'
const nodeFile = 'node-extra-ca.pem'

/** Where Chromium, Chrome and the Chrome that test drivers bring look for policies. */
const policyDirectories = ['chromium', 'opt/chrome', 'opt/chrome_for_testing'].map(
  (name) => `/etc/${name}/policies/managed`,
)

export interface ContainerTrust {
  env: Record<string, string>
  mounts: ContainerSpec['mounts']
  /** Puts into the created container, before its start, what cannot be mounted. */
  install(containerId: string): Promise<void>
}

/** `userEnv` is what the user sets, which wins. Undefined before there is an authority: the first proxy makes it. */
export async function planContainerTrust(
  engine: Pick<Engine, 'files'>,
  image: Pick<ImageFacts, 'environment'>,
  { publicCertificate }: Pick<MoatPaths, 'publicCertificate'>,
  userEnv: Readonly<Record<string, string>>,
): Promise<ContainerTrust | undefined> {
  const root = await readFile(publicCertificate, 'utf8').catch(() => undefined)
  if (root === undefined) return undefined
  // A company's image may bring the company's authorities: they must not be lost to Node.
  const own = nodeVariable in userEnv ? undefined : image.environment[nodeVariable]
  return {
    env: {
      MOAT_CA_CERT: certificateFile,
      [directoryVariable]: `${image.environment[directoryVariable] || usualDirectory}:${certificateMount}`,
      [nodeVariable]: own ? `${nodeDirectory}/${nodeFile}` : certificateFile,
      ...(!image.environment[denoVariable] && { [denoVariable]: certificateFile }),
    },
    install: async (containerId) => {
      if (!own) return
      const text = `${(await engine.files.read(containerId, own)) ?? ''}\n${root}`
      // From the top: images have no such directory, and to be told so by the engine takes as long as writing.
      await engine.files.write(containerId, '/', [{ name: `${nodeDirectory.slice(1)}/${nodeFile}`, text }])
    },
    mounts: mountsOf(dirname(publicCertificate)),
  }
}

function mountsOf(directory: string): ContainerSpec['mounts'] {
  const policy = join(directory, chromiumPolicy)
  // What an earlier moat left has none, and the engine refuses to mount what is not there.
  const policies = existsSync(policy) ? policyDirectories.map((target) => `${target}/moat.json`) : []
  return [
    { readOnly: true, source: directory, target: certificateMount },
    ...policies.map((target) => ({ readOnly: true, source: policy, target })),
  ]
}
