// Astro's minimal project: hot reload, a form that a page rendered on demand answers, and redirects.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Example } from '../helpers/example.js'
import { install } from '../helpers/npm-project.js'

const example = new Example('astro-app')

/** create-astro fetches its templates from a host that is no registry: these are what `minimal` has. */
const minimal = {
  'astro.config.mjs': `// @ts-check
import { defineConfig } from 'astro/config';

// https://astro.build/config
export default defineConfig({});
`,
  'package.json': JSON.stringify({
    dependencies: { astro: '7.3.5' },
    name: 'astro-app',
    scripts: { astro: 'astro', build: 'astro build', dev: 'astro dev', preview: 'astro preview' },
    type: 'module',
    version: '0.0.1',
  }),
  'tsconfig.json': '{ "extends": "astro/tsconfigs/strict" }\n',
}
const page = `---
export const prerender = false
const word = Astro.request.method === 'POST' ? (await Astro.request.formData()).get('word') : undefined
if (word) return Astro.redirect(new URL('/?sent=' + word, Astro.url).href, 303)
---
<html lang="en"><body>
  <h1>First text</h1>
  <form method="post"><input name="word" value="hello"><button>Send</button></form>
</body></html>
`

beforeAll(async () => {
  const project = example.directory(minimal)
  example.sandbox.directory('astro-app/src/pages', { 'index.astro': page })
  await install(project, ['astro@7.3.5'])
  await example.sandbox.json(['init', project])
})
afterAll(() => example.cleanUp())

describe('Astro', () => {
  it('is live at both hosts, takes forms and redirects, with no setting', async () => {
    expect((await example.start()).notes).toBeUndefined()
    for (const origin of example.origins) {
      const { page } = await example.open(`${origin}/`)
      await page.getByRole('button', { name: 'Send' }).click()
      await page.waitForURL(`${origin}/?sent=hello`)
      await page.close()
    }
    const file = join(example.directory(), 'src/pages/index.astro')
    await example.expectHot(file, ['First text', 'Changed once', 'Changed twice'], '"connected"')
  })
})
