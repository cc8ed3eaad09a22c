// Owns what makes programs accept the proxy's certificates that read one file of authorities in place of their own, named by
// a variable: Python's requests and httpx, pip, uv, the AWS command line, gRPC, Java. The file has what the image trusts, and the root.
import { readFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'
import { bundleFile, javaBundle, writeBundle } from '../../authority/bundle.js'
import { agentDirectory, type MoatPaths } from '../../config/paths.js'
import type { Engine } from '../../engine/engine.js'
import type { ImageFacts } from '../../engine/files.js'
import { mountPoint } from './forwarder.js'
import { remembered } from './image-memory.js'
import { javaStores, javaTrustEnvironment, javaVariable, readJavaStores } from './java-trust.js'

interface Reader {
  /** Variables that its clients read too: what these name is not to be lost. */
  alsoReads?: string[]
  /** Variables that would no longer count if it were set. */
  leaves?: string[]
  /** Only to be set where the image has set it: what it names else has the root alone. */
  onlyIfNamed?: true
  variable: string
}

const readers: Reader[] = [
  // OpenSSL, Go, Ruby, uv, httpx and much that is written in Rust. httpx reads this one only, if it is set.
  { leaves: ['SSL_CERT_DIR'], variable: 'SSL_CERT_FILE' },
  // requests, and pip, which puts it before its own setting.
  { alsoReads: ['CURL_CA_BUNDLE', 'PIP_CERT'], variable: 'REQUESTS_CA_BUNDLE' },
  { alsoReads: ['REQUESTS_CA_BUNDLE'], variable: 'AWS_CA_BUNDLE' },
  { variable: 'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH' },
  // Node adds it to its own. A company's image may bring the company's authorities by it.
  { onlyIfNamed: true, variable: 'NODE_EXTRA_CA_CERTS' },
]

/** Where distributions have all authorities in one file, as Go looks for it. */
export const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
  '/etc/ssl/certs/ca-bundle.crt',
]
/** Characters; more is no list of authorities. */
const mostCharacters = 8 * 1024 * 1024

export interface TrustBundle {
  env: Record<string, string>
  /** Writes the files, once there is a container to ask for what its image has. */
  install(containerId: string): Promise<void>
}

export interface BundleOptions {
  engine: Pick<Engine, 'files'>
  image: Pick<ImageFacts, 'environment' | 'id'>
  /** Paths in the container at which it has other files than its image. */
  mounted: readonly string[]
  paths: Pick<MoatPaths, 'agents' | 'bundles' | 'publicCertificate'>
  runId: string
  /** What the container is told besides. */
  toldEnv?: Readonly<Record<string, string>>
  /** What the user sets, which wins. */
  userEnv: Readonly<Record<string, string>>
}

/** For an agent that has a directory of its own. Undefined before there is an authority. */
export async function planTrustBundle(options: BundleOptions): Promise<TrustBundle | undefined> {
  const { image, paths, runId, toldEnv = {}, userEnv } = options
  const root = await readFile(paths.publicCertificate, 'utf8').catch(() => undefined)
  if (root === undefined) return undefined
  const env: Record<string, string> = {}
  /** By name, the files of the image; none: what the distribution has. */
  const bundles = new Map<string, string[]>()
  for (const { alsoReads = [], leaves = [], onlyIfNamed, variable } of readers) {
    const own = image.environment[variable]
    if (onlyIfNamed && !own) continue
    if ([variable, ...alsoReads, ...leaves].some((name) => name in userEnv)) continue
    if (!own && leaves.some((name) => image.environment[name])) continue
    const files = [variable, ...alsoReads].flatMap((name) => image.environment[name] || [])
    const name = files.length === 0 ? 'ca-bundle' : `ca-bundle-${variable.toLowerCase().replaceAll('_', '-')}`
    bundles.set(name, [...new Set(files)])
    env[variable] = `${mountPoint}/${bundleFile(name)}`
  }
  const java = javaTrustEnvironment(toldEnv[javaVariable] ?? image.environment[javaVariable], userEnv)
  return {
    env: { ...env, ...java },
    install: async (containerId) => {
      const directory = agentDirectory(paths, runId)
      for (const [name, files] of bundles)
        await writeBundle(directory, name, await rootsOf(containerId, files, options), root)
      if (javaVariable in java) await writeBundle(directory, javaBundle, await javaRoots(containerId, options), root)
    },
  }
}

/** What Java has in the image; of one in which none is found, what the image has else. */
async function javaRoots(containerId: string, options: BundleOptions): Promise<string> {
  const stores = javaStores(options.image)
  const read = () => readJavaStores(options.engine.files, containerId, stores)
  const roots = await unlessMounted(stores, ['java', stores], options, read)
  return roots || rootsOf(containerId, [], options)
}

async function rootsOf(containerId: string, files: readonly string[], options: BundleOptions): Promise<string> {
  const { engine } = options
  const wanted = files.length === 0 ? systemBundles : files
  const read = async () => {
    const texts: string[] = []
    for (const file of wanted) {
      const text = await engine.files.read(containerId, file)
      if (text === undefined || text.length > mostCharacters || !text.includes('BEGIN ')) continue
      texts.push(text)
      if (files.length === 0) break
    }
    // An image without any: programs that bring authorities of their own bring those of Mozilla, as Node does, and keep them.
    return texts.length > 0 ? texts.join('\n') : rootCertificates.join('\n')
  }
  return unlessMounted(wanted, [files], options, read)
}

/** What was read of these files of the image, remembered by the key; read anew where something else may be in their place. */
async function unlessMounted(
  files: readonly string[],
  key: readonly unknown[],
  { image, mounted, paths }: BundleOptions,
  read: () => Promise<string>,
): Promise<string> {
  const isImages = !files.some((file) => mounted.some((path) => file === path || file.startsWith(`${path}/`)))
  return isImages ? remembered(paths, [image.id, ...key], read) : read()
}
