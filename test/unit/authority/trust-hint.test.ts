import { homedir } from 'node:os'
import { expect, it } from 'vitest'
import { trustHint } from '../../../src/authority/trust-hint.js'

it('names the command that has the root trusted, and the way without', () => {
  const text = trustHint(`${homedir()}/.moat/proxy/ca/ca.crt`, 'localhost').join('\n')
  expect(text).toContain('\n  moat proxy trust\n')
  expect(text).toContain('curl --cacert ~/.moat/proxy/ca/ca.crt <url>')
  expect(text).toContain('A certificate authority for localhost was made')
  expect(trustHint('/ca.crt', 'moat.test')[1]).toBe(
    'A certificate authority for localhost and moat.test was made on this machine. To have browsers and tools trust it:',
  )
})
