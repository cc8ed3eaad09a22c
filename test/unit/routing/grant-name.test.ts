// Owns what a grant may be called, also in labels and files.
import { describe, expect, it } from 'vitest'
import { isGrantName, sshGrantName, sshTarget } from '../../../src/routing/grant-name.js'

it.each(['github', 'my-api', 'ssh:github.com', 'ssh:git.example.com:2222', 'ssh:10.0.0.5', 'ssh:nas'])(
  'is one: %s',
  (name) => {
    expect(isGrantName(name)).toBe(true)
    const target = sshTarget(name)
    if (target) expect(sshGrantName(target)).toBe(name)
  },
)

describe('is none', () => {
  it.each([
    '',
    'GitHub',
    'github.com',
    'ssh:',
    'ssh:GitHub.com',
    'ssh:github.com:',
    'ssh:github.com:22',
    'ssh:github.com:022',
    'ssh:github.com:0',
    'ssh:github.com:70000',
    'ssh:-oProxyCommand=x',
    'ssh:git@github.com',
    'ssh:*.github.com',
    'ssh:a..b',
    'ssh:../x',
    'ssh:localhost',
    'ssh:web.app.localhost',
    'ssh:a.b ',
    'ssh:a+b',
    'ssh:a,b',
    `ssh:${'a.'.repeat(60)}b`,
  ])('%j', (name) => {
    expect(isGrantName(name)).toBe(false)
  })
})
