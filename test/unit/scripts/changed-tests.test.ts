import { describe, expect, it } from 'vitest'
import { testsFor } from '../../../scripts/setup/changed-tests.mjs'

const checkout: Record<string, string> = {
  'src/doors/links.ts': '',
  'src/pages/frame.ts': '',
  'src/pages/page.ts': "import { frame } from './frame.js'",
  'test/e2e/plugin-guide.test.ts': "readFileSync('docs/guides/writing-a-plugin.md')",
  'test/examples/nuxt.test.ts': "import { Sandbox } from '../helpers/sandbox.js'",
  'test/helpers/as-found.ts': '',
  'test/helpers/sandbox.ts': '',
  'test/helpers/stores.sh': '',
  'test/helpers/trust-machine.ts': "['sh', 'test/helpers/stores.sh']",
  'test/integration/authority/trust.test.ts': "import { TrustMachine } from '../../helpers/trust-machine.js'",
  'test/integration/pages/browser.test.ts': "import { Sandbox } from '../../helpers/sandbox.js'",
  'test/integration/run/run.test.ts': "import { Sandbox } from '../../helpers/sandbox.js'",
  'test/unit/pages/page.test.ts': "import { page } from '../../../src/pages/page.js'",
  'test/unit/routing/urls.test.ts': '',
  'vitest.config.ts': "{ setupFiles: ['test/helpers/as-found.ts'] }",
}
const all = {
  exists: (file: string) => file in checkout,
  files: Object.keys(checkout),
  read: (file: string) => checkout[file] ?? '',
}

describe('the tests that a change can have broken', () => {
  it('are those that import it, by however many steps, and those of the places where its room shows', () => {
    expect(testsFor(['src/pages/frame.ts'], all)).toEqual([
      'test/integration/pages/browser.test.ts',
      'test/unit/pages/page.test.ts',
    ])
  })

  it('are itself for a test, and its users for a helper', () => {
    expect(testsFor(['test/unit/routing/urls.test.ts'], all)).toEqual(['test/unit/routing/urls.test.ts'])
    expect(testsFor(['test/helpers/sandbox.ts'], all)).toEqual([
      'test/integration/pages/browser.test.ts',
      'test/integration/run/run.test.ts',
    ])
  })

  it('are the users of a helper that calls it, for a program', () => {
    expect(testsFor(['test/helpers/stores.sh'], all)).toEqual(['test/integration/authority/trust.test.ts'])
  })

  it('are none of the examples', () => {
    expect(testsFor(['test/examples/nuxt.test.ts'], all)).toEqual([])
  })

  it('are those that read a text, for a text', () => {
    expect(testsFor(['docs/guides/writing-a-plugin.md'], all)).toEqual(['test/e2e/plugin-guide.test.ts'])
    expect(testsFor(['docs/guides/trust.md'], all)).toEqual([])
  })

  it.each([
    'src/doors/links.ts',
    'package.json',
    'forwarder/relay.c',
    'vitest.config.ts',
    'src/errors.ts',
    'test/helpers/as-found.ts',
  ])('are all for %s', (file) => expect(testsFor(['test/unit/routing/urls.test.ts', file], all)).toBeUndefined())
})
