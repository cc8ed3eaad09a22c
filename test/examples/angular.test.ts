// Angular's new project with its server: its template changes in the page that is open, and what is built takes moat's hosts.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Example } from '../helpers/example.js'
import { generate, install } from '../helpers/npm-project.js'

const version = '22.2.0'
const packages = 'build cli common compiler compiler-cli core forms platform-browser platform-server router ssr'
const example = new Example('ng-app')
/** The template's text, as it was and as it becomes. */
const texts = ['Congratulations!', 'Changed once!', 'Changed twice!']

beforeAll(async () => {
  const creator = ['ng', 'new', 'ng-app', '--defaults', '--ssr', '--skip-git', '--skip-install']
  await generate(example.sandbox.directory('.'), `@angular/cli@${version}`, creator)
  // Each asks for the others in the very same version.
  await install(
    example.directory(),
    packages.split(' ').map((name) => `@angular/${name}@${version}`),
  )
  await example.sandbox.json(['init', example.directory()])
})
afterAll(() => example.cleanUp())

describe('Angular', () => {
  it('is hot at both hosts, with no setting', async () => {
    expect((await example.start()).notes).toBeUndefined()
    await example.expectHot(join(example.directory(), 'src/app/app.html'), texts, '"connected"')
    await example.stop()
  })

  it('is rendered by its own server at both hosts, with no setting', async () => {
    const server = 'npm run build && PORT=4200 exec npm run serve:ssr:ng-app'
    expect((await example.start(['sh', '-c', server])).notes).toBeUndefined()
    for (const origin of example.origins) {
      const { body, status } = await example.sandbox.get(`${origin}/`)
      expect(status, body).toBe(200)
      // Made by the server, and not by the page's script.
      expect(body).toContain(texts[2])
    }
    expect(await example.log()).not.toContain('was not set up to allow it')
  })
})
