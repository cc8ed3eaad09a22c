import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RefusingSandbox } from '../../helpers/refusing-sandbox.js'

let sandbox: RefusingSandbox

beforeEach(() => {
  sandbox = new RefusingSandbox()
})
afterEach(() => sandbox.cleanUp())

describe('the workspace', () => {
  it('that does not exist', async () => {
    const missing = join(sandbox.directory('.'), 'nowhere')
    await sandbox.refuses(
      ['run', './nowhere'],
      2,
      `Error: The workspace ${missing} does not exist.

Try this:
  mkdir -p ${missing}
`,
    )
  })

  it('without moat.yaml', async () => {
    const workspace = sandbox.directory('empty')
    await sandbox.refuses(
      ['run', workspace],
      2,
      `Error: There is no moat.yaml in empty.

Try this:
  moat init empty
`,
    )
  })
})

describe("moat's own files", () => {
  const yaml = { 'moat.yaml': 'name: app\ndependencies: [node@22]\ncommand: [cat, /workspace/home/proxy/ca/ca.key]\n' }

  it.each([
    ['around them', '.'],
    ['among them', 'home/inside'],
  ])('are not given to an agent by a workspace %s', async (_, directory) => {
    const outcome = await sandbox.told(['run', sandbox.directory(directory, yaml)])
    expect(outcome).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^Error: .+ cannot be given to an agent: /),
    })
  })

  it('nor by a mount', async () => {
    const outcome = await sandbox.told([
      'run',
      '--mount',
      `${sandbox.directory('.')}:/data`,
      sandbox.directory('app', yaml),
    ])
    expect(outcome).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^Error: .+ cannot be given to an agent: /),
    })
  })
})

describe('moat.yaml', () => {
  const withYaml = (text: string) => ['run', sandbox.directory('app', { 'moat.yaml': text })]

  it('that is not YAML', async () => {
    await sandbox.refuses(
      withYaml('name: [app\nports: 1\n'),
      2,
      'Error: app/moat.yaml:2:1: not valid YAML: deficient indentation\n',
    )
  })

  it('with an unknown key', async () => {
    await sandbox.refuses(
      withYaml('name: app\nprots: {web: 3000}\n'),
      2,
      'Error: app/moat.yaml:2:1: unknown key "prots"; did you mean "ports"?\n',
    )
  })

  it('with a wrong type', async () => {
    await sandbox.refuses(
      withYaml('name: app\nports:\n  web: three\n'),
      2,
      'Error: app/moat.yaml:3:8: "ports.web" must be a port number from 1 to 65535, not "three"\n',
    )
  })

  it('with wrong types, options, dependencies and a missing command is told all at once, in the order of the file', async () => {
    await sandbox.refuses(
      withYaml(`name: app
dependencies: [node@22, nodde@20, git, git@2, 'npm:']
ports:
  web: {port: 3000, type: htp}
  api: {port: 3001, pth: /x}
  two: {port: 3002, type: sttic}
  odd: {port: none}
hooks: {pre_run: echo}
mount: []
container: {cpu: 1}
`),
      2,
      `Error: app/moat.yaml:2:25: "nodde" is not a dependency that moat knows; did you mean "node"?
app/moat.yaml:2:40: "git@2" is a Debian package, whose version Debian chooses: write "git".
app/moat.yaml:2:47: "npm:" is not the name of an npm package: write, for example, npm:typescript@5.9.
app/moat.yaml:4:27: unknown endpoint type "htp"; did you mean "http"? Installed: http, mock, static, tcp
app/moat.yaml:5:21: unknown key "pth" in "ports.api"; did you mean "path"?
app/moat.yaml:6:27: unknown endpoint type "sttic"; did you mean "static"? Installed: http, mock, static, tcp
app/moat.yaml:7:15: "ports.odd.port" must be a port number from 1 to 65535, not "none"
app/moat.yaml:8:18: "hooks.pre_run" needs a command to run before, and there is none.
app/moat.yaml:9:1: unknown key "mount"; did you mean "mounts"?
app/moat.yaml:10:13: unknown key "cpu" in "container"; did you mean "cpus"?

Try this:
  add a command to moat.yaml, e.g. command: ["npm", "start"]
  moat deps list
  or name the package: apt:nodde, npm:nodde, pip:nodde, cargo:nodde
`,
    )
  })

  it('with an endpoint type that is not installed', async () => {
    await sandbox.refuses(
      withYaml('name: app\nports:\n  web: {port: 3000, type: htp}\n'),
      2,
      'Error: app/moat.yaml:3:27: unknown endpoint type "htp"; did you mean "http"? Installed: http, mock, static, tcp\n',
    )
  })
})

describe('names and variables', () => {
  it('that are no DNS label', async () => {
    await sandbox.refuses(
      ['run', '-n', 'Dark Mode', sandbox.workspace('app')],
      2,
      `Error: "Dark Mode" is not a valid agent name: use 1 to 63 lowercase letters, digits and hyphens, with no hyphen first or last.

Try this:
  moat run --name dark-mode
`,
    )
  })

  it('without a name before the value, which is not shown', async () => {
    const outcome = await sandbox.told(['run', '-e', '=s3cret', sandbox.workspace('app')])
    expect(outcome.stderr).toBe(
      'Error: -e needs a variable name before the value.\n\nTry this:\n  moat run -e KEY=value\n',
    )
    expect(outcome.code).toBe(2)
  })
})

describe('the engine', () => {
  it('that does not answer', async () => {
    const socket = join(sandbox.home, 'no.sock')
    const outcome = await sandbox.told(['run', sandbox.workspace('app')], { env: { DOCKER_HOST: `unix://${socket}` } })
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toMatch(/^Error: No container engine answers\.\n/)
    expect(outcome.stderr).toContain(`unix://${socket}`)
    expect(outcome.stderr).toContain('no such file')
    expect(outcome.stderr).toContain('Try this:\n')
    expect(outcome.stderr).not.toMatch(/\n\s+at /)
    // The same, for programs.
    const json = await sandbox.told(['list', '--json'], { env: { DOCKER_HOST: `unix://${socket}` } })
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'ENGINE_UNREACHABLE' } })
  })

  it('that cannot pull the image', async () => {
    const workspace = sandbox.directory('app', {
      'moat.yaml': 'name: app\nbase_image: moat.invalid/no-such-image:1\nports: {web: 3000}\n',
    })
    const outcome = await sandbox.told(['run', workspace])
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toMatch(
      /Error: The image moat\.invalid\/no-such-image:1 could not be pulled: .+\.\n\nTry this:\n {2}docker pull moat\.invalid\/no-such-image:1\n/,
    )
  })
})

describe('Caddy', () => {
  it('that is missing', async () => {
    await sandbox.refuses(
      ['run', sandbox.workspace('app')],
      1,
      `Error: Caddy at /nonexistent/caddy (from MOAT_CADDY) does not run: no such file.

Try this:
  unset MOAT_CADDY && moat setup
  MOAT_CADDY=/path/to/caddy moat run
`,
      { MOAT_CADDY: '/nonexistent/caddy' },
    )
  })

  it('that is too old, by a path from here', async () => {
    const old = join(sandbox.directory('old', { caddy: '#!/bin/sh\necho 2.6.2\n' }), 'caddy')
    const { chmodSync } = await import('node:fs')
    chmodSync(old, 0o755)
    const outcome = await sandbox.told(['run', sandbox.workspace('app')], { env: { MOAT_CADDY: 'old/caddy' } })
    expect(outcome.stderr).toContain(
      `Error: Caddy 2.6.2 at ${old} (from MOAT_CADDY) is too old: moat needs 2.10.0 or newer`,
    )
  })
})
