// Angular's new project: its template changes in the page that is open.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Example } from '../helpers/example.js'
import { generate, install } from '../helpers/npm-project.js'

const example = new Example('ng-app')

beforeAll(async () => {
  const creator = ['ng', 'new', 'ng-app', '--defaults', '--skip-git', '--skip-install']
  await generate(example.sandbox.directory('.'), '@angular/cli@22.2.7', creator)
  await install(example.directory())
  await example.sandbox.json(['init', example.directory()])
})
afterAll(() => example.cleanUp())

describe('Angular', () => {
  it('is hot at both hosts, with no setting', async () => {
    expect((await example.start()).notes).toBeUndefined()
    const file = join(example.directory(), 'src/app/app.html')
    await example.expectHot(file, ['Congratulations!', 'Changed once!', 'Changed twice!'], '"connected"')
  })
})
