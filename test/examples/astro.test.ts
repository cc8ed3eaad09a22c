// Astro with its adapter for Node: a page that follows its file, a form that a page rendered on demand answers, and where it redirects to.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Example } from '../helpers/example.js'
import { install } from '../helpers/npm-project.js'

const example = new Example('astro-app')

/** create-astro fetches its templates from a host that is no registry: these are what `minimal` has after `astro add node`. */
const minimal = {
  'astro.config.mjs': `// @ts-check
import { defineConfig } from 'astro/config';
import node from '@astrojs/node';

// https://astro.build/config
export default defineConfig({
  adapter: node({ mode: 'standalone' })
});
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
  await install(project, ['astro@7.3.5', '@astrojs/node@11.1.6'])
  await example.sandbox.json(['init', project])
})
afterAll(() => example.cleanUp())

/** Adds the line that moat run named. */
function add(notes: string[] = []): void {
  const line = /^Astro does not know .* add to astro\.config.*?: (security: .*)$/.exec(notes[0] ?? '')?.[1] ?? ''
  expect(line).not.toBe('')
  const config = join(example.directory(), 'astro.config.mjs')
  writeFileSync(config, readFileSync(config, 'utf8').replace("'standalone' })", `'standalone' }),\n  ${line}`))
}

/** Sends the form at each of its hosts; statuses, and the pages where that ends. */
async function sendForms(): Promise<{ ends: string[]; statuses: number[] }> {
  const sent = { ends: [] as string[], statuses: [] as number[] }
  for (const origin of example.origins) {
    const { page } = await example.open(`${origin}/`)
    const answered = page.waitForResponse((response) => response.request().method() === 'POST')
    await page.getByRole('button', { name: 'Send' }).click()
    sent.statuses.push((await answered).status())
    await page.waitForLoadState()
    if (sent.statuses.at(-1) === 303) await page.waitForURL(/sent=hello/)
    sent.ends.push(page.url())
    await page.close()
  }
  return sent
}

const refused = () => ({ ends: example.origins.map((origin) => `${origin}/`), statuses: [403, 403] })
const taken = () => ({ ends: example.origins.map((origin) => `${origin}/?sent=hello`), statuses: [303, 303] })

describe('Astro', () => {
  it('is live at both hosts with no setting, and takes forms with the line that moat run names', async () => {
    const bare = await example.start()
    const file = join(example.directory(), 'src/pages/index.astro')
    // Astro's own way with a page: it is loaded again, told so by a WebSocket.
    await example.expectHot(file, ['First text', 'Changed once', 'Changed twice'], '"connected"', { reloads: true })
    expect(await sendForms()).toEqual(refused())
    await example.stop()
    add(bare.notes)
    expect((await example.start()).notes).toBeUndefined()
    expect(await sendForms()).toEqual(taken())
    await example.stop()
  })

  it('takes forms when it is built with the line that moat run names', async () => {
    const build = ['sh', '-c', 'npm run build && HOST=0.0.0.0 PORT=4321 exec node dist/server/entry.mjs']
    writeFileSync(join(example.directory(), 'astro.config.mjs'), minimal['astro.config.mjs'])
    const bare = await example.start(build)
    expect(await sendForms()).toEqual(refused())
    await example.stop()
    add(bare.notes)
    expect((await example.start(build)).notes).toBeUndefined()
    expect(await sendForms()).toEqual(taken())
  })
})
