// A service of the internet under a name below .test, with a certificate of an authority that is made for it alone.
import { webcrypto } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, LookupFunction } from 'node:net'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

export interface StubService {
  /** PEM. */
  authority: string
  close(): Promise<void>
  /** Finds every name here. */
  lookup: LookupFunction
  port: number
  /** All that were asked of it. */
  requests: Pick<IncomingMessage, 'headers' | 'method' | 'url'>[]
}

const algorithm = { hash: 'SHA-256', name: 'ECDSA', namedCurve: 'P-256' }
const crypto = webcrypto as unknown as typeof globalThis.crypto

/** Listens on 127.0.0.1, on a free port unless one is given. */
export async function startStubService(
  names: readonly string[],
  answer: RequestListener,
  port = 0,
): Promise<StubService> {
  const { authority, certificate, key } = await makeCertificate(names)
  const requests: StubService['requests'] = []
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const { headers, method, url } = request
    requests.push({ headers, ...(method && { method }), ...(url && { url }) })
    answer(request, response)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    authority,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
    lookup: (_name, options, found) => {
      if (options.all) found(null, [{ address: '127.0.0.1', family: 4 }])
      else found(null, '127.0.0.1', 4)
    },
    port: (server.address() as AddressInfo).port,
    requests,
  }
}

async function makeCertificate(names: readonly string[]) {
  const generate = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const [own, keys] = await Promise.all([generate(), generate()])
  const life = { notAfter: new Date(Date.now() + 86_400_000), notBefore: new Date(Date.now() - 86_400_000) }
  const root = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...life,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
      keys: own,
      name: 'CN=Authority of a test',
      signingAlgorithm: algorithm,
    },
    crypto,
  )
  const leaf = await x509.X509CertificateGenerator.create(
    {
      ...life,
      extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))],
      issuer: root.subject,
      publicKey: keys.publicKey,
      signingAlgorithm: algorithm,
      signingKey: own.privateKey,
      subject: `CN=${names[0]}`,
    },
    crypto,
  )
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    authority: root.toString('pem'),
    certificate: leaf.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  }
}
