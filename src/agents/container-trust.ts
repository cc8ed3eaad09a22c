// Owns what makes programs in a container accept the proxy's certificates. The directory with the root is mounted, and
//
// - OpenSSL, and with it curl and Python, and Go look into each directory of SSL_CERT_DIR. The mounted one has the root under
//   the name that OpenSSL looks for;
// - Node reads NODE_EXTRA_CA_CERTS, one file.
import type { Engine } from '../engine/engine.js'

/** Where the directory with the root certificate is mounted. */
export const certificateMount = '/etc/moat'
export const certificateFile = `${certificateMount}/ca.crt`

const directoryVariable = 'SSL_CERT_DIR'
/** Where OpenSSL and Go look in most images, when nothing is said. */
const usualDirectory = '/etc/ssl/certs'

const nodeVariable = 'NODE_EXTRA_CA_CERTS'
/** What the image has for Node, and the root. */
const nodeDirectory = '/usr/local/share/moat'
const nodeFile = 'node-extra-ca.pem'

export interface ContainerTrust {
  env: Record<string, string>
  /** Puts into the created container, before its start, what cannot be mounted. */
  install(containerId: string): Promise<void>
}

/** `root` is the certificate, `userEnv` what the user sets, which wins. */
export async function planContainerTrust(
  engine: Pick<Engine, 'files'>,
  image: string,
  root: string,
  userEnv: Readonly<Record<string, string>>,
): Promise<ContainerTrust> {
  const imageEnv = await engine.files.imageEnvironment(image)
  // A company's image may bring the company's authorities: they must not be lost to Node.
  const own = nodeVariable in userEnv ? undefined : imageEnv[nodeVariable]
  return {
    env: {
      MOAT_CA_CERT: certificateFile,
      [directoryVariable]: `${imageEnv[directoryVariable] || usualDirectory}:${certificateMount}`,
      [nodeVariable]: own ? `${nodeDirectory}/${nodeFile}` : certificateFile,
    },
    install: async (containerId) => {
      if (!own) return
      const text = `${(await engine.files.read(containerId, own)) ?? ''}\n${root}`
      await engine.files.write(containerId, nodeDirectory, [{ name: nodeFile, text }])
    },
  }
}
