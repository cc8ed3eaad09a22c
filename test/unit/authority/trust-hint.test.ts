import { homedir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { trustHint } from '../../../src/authority/trust-hint.js'

describe('trustHint', () => {
  const path = `${homedir()}/.moat/proxy/ca/ca.crt`

  it('has the commands of the platform, and the way without', () => {
    expect(trustHint(path, 'linux').join('\n')).toContain(
      'sudo cp ~/.moat/proxy/ca/ca.crt /usr/local/share/ca-certificates/moat.crt && sudo update-ca-certificates',
    )
    expect(trustHint(path, 'darwin').join('\n')).toContain(
      'sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ~/.moat/proxy/ca/ca.crt',
    )
    expect(trustHint(path, 'linux').join('\n')).toContain('curl --cacert ~/.moat/proxy/ca/ca.crt <url>')
  })
})
