// Rails as Debian has it: a project of rails new with a scaffold, whose forms have tokens and whose redirects are absolute, and Action
// Cable's WebSocket.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Example } from '../helpers/example.js'

const example = new Example('blog')

/** The image of Ruby itself comes from no registry that the tests reach. */
const yaml = `name: blog
dependencies: ["apt:rails"]
ports: {web: 3000}
command: [bin/rails, server]
`
const skipped = ['bootsnap', 'bundle', 'git', 'javascript', 'listen', 'spring', 'sprockets', 'system-test', 'test']
const make = `set -e
rails new . --force --quiet ${skipped.map((name) => `--skip-${name}`).join(' ')}
bundle install --local --quiet
bin/rails generate scaffold post title:string --quiet
bin/rails db:migrate
`

beforeAll(async () => {
  const project = example.directory({ 'make.sh': make, 'moat.yaml': yaml })
  const { code, stderr, stdout } = await example.sandbox.moat(['run', '--yes', project, '--', 'sh', 'make.sh'])
  if (code !== 0) throw new Error(`The project was not made:\n${stdout}${stderr}`)
}, 600_000)
afterAll(() => example.cleanUp())

/** At each of those hosts: a form, its redirect, and a WebSocket. */
async function use(origins: string[]): Promise<void> {
  for (const origin of origins) {
    const { page } = await example.open(`${origin}/posts/new`)
    await page.fill('#post_title', 'hello there')
    await page.getByRole('button').click()
    await page.waitForURL(new RegExp(`^${origin}/posts/\\d+$`))
    await page.getByText('Post was successfully created.').waitFor()
    const heard = await page.evaluate(`new Promise((heard) => {
      const socket = new WebSocket('wss://' + location.host + '/cable', 'actioncable-v1-json')
      socket.onmessage = ({ data }) => heard(data)
      socket.onclose = ({ code }) => heard('closed: ' + code)
    })`)
    expect(heard).toBe('{"type":"welcome"}')
    await page.close()
  }
}

describe('Rails', () => {
  it('6.1 takes forms, redirects, and opens WebSockets; at the host with two labels once it has the line that moat run names', async () => {
    const line = "config.hosts << '.blog.localhost'"
    const { notes } = await example.start()
    expect(notes).toEqual([
      `Rails takes no host with two labels below localhost; add to config/environments/development.rb: ${line}`,
    ])
    await use(example.origins.slice(1))
    const { page } = await example.open(`${example.origins[0]}/posts/new`)
    await page.getByText('Blocked host: web.blog.localhost').first().waitFor()
    await page.close()
    await example.stop()
    const file = join(example.directory(), 'config/environments/development.rb')
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^end$/m, `  ${line}\nend`))
    expect((await example.start()).notes).toBeUndefined()
    await use(example.origins)
  })
})
