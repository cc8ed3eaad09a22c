// Owns which variables name a file of authorities, and that nothing of what an image trusts is lost to it.
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { javaVariable } from '../../../../src/agents/container/java-trust.js'
import { type BundleOptions, planTrustBundle } from '../../../../src/agents/container/trust-bundle.js'
import { renewBundles } from '../../../../src/authority/bundle.js'
import { makeJavaStore, readJavaStore } from '../../../../src/authority/java-store.js'

const runId = 'run_0123456789ab'
const pem = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`
/** Real ones, as Java's stores want them; the last is moat's here. */
const [first, second, renewed, root] = rootCertificates
  .slice(0, 4)
  .map((text) => new X509Certificate(text).toString()) as [string, string, string, string]
const variables = ['AWS_CA_BUNDLE', 'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE']

let directory: string
let files: Record<string, string>
let stores: Record<string, Buffer>
let reads: string[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-bundle-'))
  mkdirSync(join(directory, 'agents', runId), { recursive: true })
  writeFileSync(join(directory, 'ca.crt'), pem('moat'))
  files = { '/etc/ssl/certs/ca-certificates.crt': pem('system') }
  reads = []
  stores = {}
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

const paths = () => ({
  agents: join(directory, 'agents'),
  bundles: join(directory, 'bundles'),
  publicCertificate: join(directory, 'ca.crt'),
})
const bundle = (name = 'ca-bundle') => readFileSync(join(directory, 'agents', runId, `${name}.pem`), 'utf8')

async function plan(environment: Record<string, string> = {}, options: Partial<BundleOptions> = {}) {
  const read = async (_: string, path: string) => {
    reads.push(path)
    return files[path]
  }
  const planned = await planTrustBundle({
    engine: {
      files: {
        describeImage: async () => ({}) as never,
        has: async () => false,
        read,
        readBytes: async (_, path) => stores[path],
        unpack: async () => {},
        write: async () => {},
      },
    },
    image: { environment, id: 'sha256:1' },
    mounted: [],
    paths: paths(),
    runId,
    userEnv: {},
    ...options,
  })
  await planned?.install('container')
  return planned?.env ?? {}
}

describe('the file of authorities', () => {
  it("has the distribution's and, at the end, the root; and an image is asked once", async () => {
    const env = await plan()
    expect(Object.keys(env).toSorted()).toEqual([...variables, javaVariable].toSorted())
    expect(new Set(variables.map((name) => env[name]))).toEqual(new Set(['/run/moat/ca-bundle.pem']))
    expect(bundle()).toMatch(/^-----BEGIN CERTIFICATE-----\nsystem\n[\s\S]*\nmoat\n-----END CERTIFICATE-----\n$/)
    expect(reads).toEqual(['/etc/ssl/certs/ca-certificates.crt'])
    rmSync(join(directory, 'agents', runId, 'ca-bundle.pem'))
    await plan()
    expect(bundle()).toContain('system')
    expect(reads).toHaveLength(1)
    await plan({}, { image: { environment: {}, id: 'sha256:2' } })
    expect(reads).toHaveLength(2)
  })

  it('is found where other distributions have it, and is that of programs where there is none', async () => {
    files = { '/etc/pki/tls/certs/ca-bundle.crt': pem('fedora') }
    await plan()
    expect(bundle()).toContain('fedora')
    files = {}
    await plan({}, { image: { environment: {}, id: 'sha256:2' } })
    expect(bundle()).toContain(rootCertificates[0])
    expect(bundle()).toContain('moat')
  })

  it('is for Node only where the image has one for it, whose authorities stay', async () => {
    files['/company.pem'] = pem('company')
    const env = await plan({ NODE_EXTRA_CA_CERTS: '/company.pem' })
    expect(env.NODE_EXTRA_CA_CERTS).toBe('/run/moat/ca-bundle-node-extra-ca-certs.pem')
    expect(bundle('ca-bundle-node-extra-ca-certs')).toMatch(/company[\s\S]*moat/)
    const own = await plan({ NODE_EXTRA_CA_CERTS: '/company.pem' }, { userEnv: { NODE_EXTRA_CA_CERTS: '/mine.pem' } })
    expect(own).not.toHaveProperty('NODE_EXTRA_CA_CERTS')
  })

  it('has what the image names instead, for each variable its own', async () => {
    files = { '/company.pem': pem('company'), '/pip.pem': pem('pip') }
    const env = await plan({ CURL_CA_BUNDLE: '/company.pem', PIP_CERT: '/pip.pem', SSL_CERT_FILE: '/company.pem' })
    expect(env.SSL_CERT_FILE).toBe('/run/moat/ca-bundle-ssl-cert-file.pem')
    expect(bundle('ca-bundle-ssl-cert-file')).toMatch(/company[\s\S]*moat/)
    expect(bundle('ca-bundle-requests-ca-bundle')).toMatch(/company[\s\S]*pip[\s\S]*moat/)
  })

  it('is not named where a user, or a directory that the image names, would no longer count', async () => {
    expect(Object.keys(await plan({ SSL_CERT_DIR: '/own' }))).not.toContain('SSL_CERT_FILE')
    const without = async (name: string) => {
      const env = await plan({}, { userEnv: { [name]: '/x' } })
      return variables.filter((variable) => variable in env)
    }
    expect(await without('SSL_CERT_DIR')).toEqual(variables.slice(0, 3))
    expect(await without('SSL_CERT_FILE')).toEqual(variables.slice(0, 3))
    expect(await without('CURL_CA_BUNDLE')).not.toContain('REQUESTS_CA_BUNDLE')
    expect(await without('REQUESTS_CA_BUNDLE')).toEqual(['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', 'SSL_CERT_FILE'])
  })

  it('is read anew where something is mounted in its place, and not taken for the image’s', async () => {
    const mounted = ['/etc/ssl/certs']
    await plan({}, { mounted })
    files = { '/etc/ssl/certs/ca-certificates.crt': pem('changed') }
    await plan({}, { mounted })
    expect(bundle()).toContain('changed')
    expect(existsSync(paths().bundles)).toBe(false)
  })

  it('follows a new root', async () => {
    await plan()
    await renewBundles(paths(), pem('new root'))
    expect(bundle()).toContain('system')
    expect(bundle()).toContain('new root')
    expect(bundle()).not.toContain('\nmoat\n')
  })

  it('is a store for Java, of what the stores of the image have, and the root', async () => {
    const store = () => readJavaStore(readFileSync(join(directory, 'agents', runId, 'java.jks')))
    writeFileSync(join(directory, 'ca.crt'), root)
    stores = {
      '/etc/ssl/certs/java/cacerts': makeJavaStore(first),
      '/opt/java/lib/security/cacerts': makeJavaStore(second),
    }
    const env = await plan({ JAVA_HOME: '/opt/java' })
    expect(env.JAVA_TOOL_OPTIONS).toBe('-Djavax.net.ssl.trustStore=/run/moat/java.jks')
    for (const one of [first, second, root]) expect(await store()).toContain(one)
    // An image is asked once.
    stores = {}
    await plan({ JAVA_HOME: '/opt/java' })
    expect(await store()).toContain(first)
    await renewBundles(paths(), renewed)
    expect(await store()).toContain(renewed)
    expect(await store()).toContain(first)
    expect(await store()).not.toContain(root)
  })

  it('is for Java what the image has for others where it has no Java yet', async () => {
    files['/etc/ssl/certs/ca-certificates.crt'] = first
    writeFileSync(join(directory, 'ca.crt'), root)
    stores = { '/etc/ssl/certs/java/cacerts': Buffer.from('not a store') }
    await plan()
    const made = await readJavaStore(readFileSync(join(directory, 'agents', runId, 'java.jks')))
    expect(made.match(/BEGIN/g)).toHaveLength(2)
    expect(made).toContain(first)
  })

  it('is not for a Java that the user, or the image, gives another; what Java is told besides stays', async () => {
    const told = async (environment: Record<string, string>, options: Partial<BundleOptions> = {}) =>
      (await plan(environment, options)).JAVA_TOOL_OPTIONS
    const option = '-Djavax.net.ssl.trustStore=/run/moat/java.jks'
    expect(await told({ JAVA_TOOL_OPTIONS: '-Xmx1g' })).toBe(`-Xmx1g ${option}`)
    const toldEnv = { JAVA_TOOL_OPTIONS: '-Xmx1g -Dhttp.proxyPort=1' }
    expect(await told({ JAVA_TOOL_OPTIONS: '-Xmx1g' }, { toldEnv })).toBe(`-Xmx1g -Dhttp.proxyPort=1 ${option}`)
    rmSync(join(directory, 'agents', runId, 'java.jks'))
    expect(await told({ JAVA_TOOL_OPTIONS: '-Djavax.net.ssl.trustStore=/company.jks' })).toBeUndefined()
    expect(await told({}, { userEnv: { JAVA_TOOL_OPTIONS: '-Xmx1g' } })).toBeUndefined()
    expect(existsSync(join(directory, 'agents', runId, 'java.jks'))).toBe(false)
  })

  it('is none before there is an authority', async () => {
    rmSync(join(directory, 'ca.crt'))
    expect(await plan()).toEqual({})
  })
})
