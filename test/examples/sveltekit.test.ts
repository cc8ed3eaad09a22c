// SvelteKit's demo: hot reload, and the game whose every guess is a form that its server answers, in development and in the preview.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Example } from '../helpers/example.js'
import { generate, install } from '../helpers/npm-project.js'

const example = new Example('kit-app')
let project: string

beforeAll(async () => {
  const choices = ['--template', 'demo', '--types', 'ts', '--no-add-ons', '--no-install']
  await generate(example.sandbox.directory('.'), 'sv@0.17.1', ['sv', 'create', 'kit-app', ...choices])
  project = example.directory()
  await install(project, ['@sveltejs/kit@2.70.4', 'svelte@5.57.3', 'vite@8.4.0'])
  await example.sandbox.json(['init', project])
})
afterAll(() => example.cleanUp())

/** Guesses a word, with the page's script or without, and gives the status of the answer. */
async function guess(origin: string): Promise<number> {
  const { page } = await example.open(`${origin}/sverdle`)
  // Another game than the one before, whose letters are called after what is known of them.
  await page.context().clearCookies()
  await page.reload()
  await page.getByRole('button', { name: 'enter' }).waitFor()
  for (const letter of 'crane') await page.getByRole('button', { exact: true, name: letter }).click()
  const answered = page.waitForResponse((response) => response.url().endsWith('?/enter'))
  await page.getByRole('button', { name: 'enter' }).click()
  const status = (await answered).status()
  if (status === 200)
    await page
      .getByText(/\((?:correct|present|absent)\)/)
      .first()
      .waitFor({ state: 'attached' })
  await page.close()
  return status
}

describe('SvelteKit', () => {
  it('is hot at both hosts, and takes forms, with no setting', async () => {
    expect((await example.start()).notes).toBeUndefined()
    await example.expectHot(
      join(project, 'src/routes/+page.svelte'),
      ['try editing', 'changed once', 'changed twice'],
      '"connected"',
    )
    for (const origin of example.origins) expect(await guess(origin)).toBe(200)
    await example.stop()
  })

  it('takes forms in its preview with the line that moat run names', async () => {
    const preview = ['sh', '-c', 'npm run build && exec npm run preview -- --port 5173']
    const bare = await example.start(preview)
    for (const origin of example.origins) expect(await guess(origin)).toBe(403)
    const line = /add to .*?: (csrf: .*)$/.exec(bare.notes?.[0] ?? '')?.[1] ?? ''
    expect(line).toContain('trustedOrigins')
    await example.stop()
    const config = join(project, 'vite.config.ts')
    writeFileSync(config, readFileSync(config, 'utf8').replace('sveltekit({', `sveltekit({ ${line},`))
    expect((await example.start(preview)).notes).toBeUndefined()
    for (const origin of example.origins) expect(await guess(origin)).toBe(200)
  })
})
