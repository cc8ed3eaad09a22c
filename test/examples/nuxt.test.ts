// Nuxt's minimal project: hot reload, a form that its server answers, and a redirect to where it thinks it is.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Example } from '../helpers/example.js'
import { install } from '../helpers/npm-project.js'

const example = new Example('nuxt-app')

/** create-nuxt fetches its templates from a host that is no registry: these are what `minimal` has. */
const minimal = {
  'nuxt.config.ts': `// https://nuxt.com/docs/api/configuration/nuxt-config
export default defineNuxtConfig({
  compatibilityDate: '2025-07-15',
  devtools: { enabled: true }
})
`,
  'package.json': JSON.stringify({
    dependencies: { nuxt: '4.5.2' },
    name: 'nuxt-app',
    private: true,
    scripts: {
      build: 'nuxt build',
      dev: 'nuxt dev',
      generate: 'nuxt generate',
      postinstall: 'nuxt prepare',
      preview: 'nuxt preview',
    },
    type: 'module',
  }),
}
const page = `<template>
  <form method="post" action="/form"><h1>First text</h1><input name="word" value="hello"><button>Send</button></form>
</template>
`
const form = `export default defineEventHandler(async (event) => {
  const { word } = await readBody(event)
  return sendRedirect(event, new URL('/done?word=' + word, getRequestURL(event)).href, 303)
})
`

beforeAll(async () => {
  const project = example.directory(minimal)
  example.sandbox.directory('nuxt-app/app', { 'app.vue': page })
  example.sandbox.directory('nuxt-app/server/routes', {
    'done.get.ts':
      'export default defineEventHandler((event) => getRequestURL(event, { xForwardedProto: true }).href)\n',
    'form.post.ts': form,
  })
  await install(project, ['nuxt@4.5.2'])
  await example.sandbox.json(['init', project])
})
afterAll(() => example.cleanUp())

async function sendForms(): Promise<void> {
  for (const origin of example.origins) {
    const { page } = await example.open(`${origin}/`)
    await page.getByRole('button', { name: 'Send' }).click()
    await page.waitForURL(`${origin}/done?word=hello`)
    expect(await page.textContent('body')).toBe(`${origin}/done?word=hello`)
    await page.close()
  }
}

describe('Nuxt', () => {
  it('is hot at both hosts, takes forms and redirects, with no setting', async () => {
    expect((await example.start()).notes).toBeUndefined()
    const file = join(example.directory(), 'app/app.vue')
    await example.expectHot(file, ['First text', 'Changed once', 'Changed twice'], '"connected"')
    await sendForms()
    await example.stop()
  })

  it('does so when it is built', async () => {
    expect(
      (await example.start(['sh', '-c', 'npm run build && exec node .output/server/index.mjs'])).notes,
    ).toBeUndefined()
    await sendForms()
  })
})
