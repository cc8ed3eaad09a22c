// What somebody can do who has stolen the root's key: sign certificates for any name, directly or through an authority
// of their own.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' })

export interface Signer {
  certificate: string
  key: string
}

export interface Forged extends Signer {
  /** PEM: the certificate, then those of the authorities between it and the root. */
  chain: string
}

/** A leaf for a name. Paths are of files in new directories below `directory`. */
export function forgeLeaf(directory: string, name: string, ...signers: [Signer, ...Signer[]]): Forged {
  return sign(directory, [`subjectAltName=DNS:${name}`], signers)
}

/** An authority with no limits of its own. */
export function forgeAuthority(directory: string, signer: Signer): Forged {
  return sign(directory, ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'], [signer])
}

function sign(directory: string, extensions: string[], [signer, ...above]: [Signer, ...Signer[]]): Forged {
  const own = mkdtempSync(join(directory, 'forged-'))
  const at = (file: string) => join(own, file)
  const [certificate, key] = [at('forged.crt'), at('forged.key')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x']
  openssl('req', ...kind, '-keyout', key, '-out', at('request'))
  writeFileSync(at('extensions'), `${extensions.join('\n')}\n`)
  const by = ['-CA', signer.certificate, '-CAkey', signer.key, '-CAserial', at('serial'), '-CAcreateserial']
  openssl('x509', '-req', '-in', at('request'), ...by, '-days', '30', '-extfile', at('extensions'), '-out', certificate)
  const between = above.length > 0 ? [signer] : []
  const chain = [certificate, ...between.map((one) => one.certificate)]
    .map((file) => readFileSync(file, 'utf8'))
    .join('')
  return { certificate, chain, key }
}
