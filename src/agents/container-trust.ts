// Owns what makes programs in a container accept the proxy's certificates: the authority is mounted, and beside that
//
// - OpenSSL, and with it curl and Python, looks for an authority under the hash of its name in /etc/ssl/certs, and Go reads
//   all that is there: a link from there to the mounted file is enough, and stays right when the root is replaced;
// - Node reads NODE_EXTRA_CA_CERTS, one file.
import type { Engine } from '../engine/engine.js'
import type { ContainerFile } from '../engine/files.js'

/** Where the directory with the root certificate is mounted. */
export const certificateMount = '/etc/moat'
export const certificateFile = `${certificateMount}/ca.crt`

/** OpenSSL's hash of `CN=Moat CA`. */
export const nameHash = '159b6d19'

/** Where OpenSSL and Go look, wherever they were built to look. */
const directoryVariable = 'SSL_CERT_DIR'
const usualDirectory = '/etc/ssl/certs'

const nodeVariable = 'NODE_EXTRA_CA_CERTS'
/** What the image has for Node, and the root. */
const nodeFile = 'moat-node-extra.pem'

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
  const directories = imageEnv[directoryVariable] || usualDirectory
  const [directory = usualDirectory] = directories.split(':')
  // A company's image may bring the company's authorities: they must not be lost to Node.
  const own = nodeVariable in userEnv ? undefined : imageEnv[nodeVariable]
  return {
    env: {
      MOAT_CA_CERT: certificateFile,
      [directoryVariable]: directories,
      [nodeVariable]: own ? `${directory}/${nodeFile}` : certificateFile,
    },
    install: async (containerId) => {
      const files: ContainerFile[] = [{ linkTo: certificateFile, name: `${nameHash}.0` }]
      if (own) files.push({ name: nodeFile, text: `${(await engine.files.read(containerId, own)) ?? ''}\n${root}` })
      await engine.files.write(containerId, directory, files)
    },
  }
}
