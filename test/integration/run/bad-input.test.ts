// Input that cannot work: what is said, word for word, with which exit code, and that nothing is left of it.
import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(async () => {
  expect(await sandbox.containers()).toEqual([])
  await sandbox.cleanUp()
})

/** Runs moat and expects this exit code and exactly this on stderr, apart from progress and the hint about trust. */
async function refuses(args: string[], code: number, text: string): Promise<void> {
  const outcome = await sandbox.told(args)
  expect(outcome.stderr.replace(/^(Starting|Step) .*\n/gm, '')).toBe(text)
  expect(outcome.code).toBe(code)
}

const yaml = (text: string) => sandbox.directory('app', { 'moat.yaml': `name: app\n${text}` })

describe('a workspace', () => {
  it('that is a file', async () => {
    const file = join(sandbox.directory('.'), 'file')
    writeFileSync(file, '')
    await refuses(
      ['run', './file'],
      2,
      `Error: The workspace ${file} is a file, not a directory.\n\nTry this:\n  moat run <directory>\n`,
    )
  })
})

describe('a variable', () => {
  it('without a value, that is not set here either', async () => {
    await refuses(
      ['run', '-e', 'MOAT_TEST_UNSET', yaml('')],
      2,
      'Error: -e MOAT_TEST_UNSET takes its value from the environment, but MOAT_TEST_UNSET is not set there.\n\nTry this:\n  moat run -e MOAT_TEST_UNSET=value\n',
    )
  })

  it('in moat.yaml as a list', async () => {
    await refuses(
      ['run', yaml('env: [A=1]\n')],
      2,
      'Error: app/moat.yaml:2:6: "env" must be a mapping such as {KEY: value}, not a list; write KEY: value instead of KEY=value\n',
    )
  })
})

describe('a mount of a missing path', () => {
  it('by the flag', async () => {
    const missing = join(sandbox.directory('.'), 'nope')
    await refuses(
      ['run', '--mount', './nope:/data', yaml('')],
      2,
      `Error: --mount ./nope:/data: has the source ${missing}, which does not exist.\n\nTry this:\n  moat run --mount ./data:/data:ro\n`,
    )
  })

  it('in moat.yaml', async () => {
    const directory = yaml('mounts: [./nope:/data]\n')
    await refuses(
      ['run', directory],
      2,
      `Error: app/moat.yaml:2:10: "mounts[0]" has the source ${directory}/nope, which does not exist\n`,
    )
  })
})

describe('a moat.yaml that an agent has put there', () => {
  const moatYaml = (directory: string) => join(directory, 'moat.yaml')

  it('as a link out of the workspace', async () => {
    const secret = join(sandbox.directory('secret', { 'moat.yaml': 'secret: value\n' }), 'moat.yaml')
    const directory = sandbox.directory('app')
    symlinkSync(secret, moatYaml(directory))
    const text = `Error: app/moat.yaml cannot be read: it is a symbolic link that leads out of its directory, to ${secret}.\n`
    await refuses(['run', directory], 2, text)
    // Written in the place of the link, not through it.
    expect((await sandbox.told(['init', '--force', directory])).code).toBe(0)
    expect(readFileSync(secret, 'utf8')).toBe('secret: value\n')
    expect(lstatSync(moatYaml(directory)).isFile()).toBe(true)
  })

  it('as a pipe that nobody writes to', async () => {
    const directory = sandbox.directory('app')
    execFileSync('mkfifo', [moatYaml(directory)])
    await refuses(['run', directory], 2, 'Error: app/moat.yaml cannot be read: it is not a plain file.\n')
  })

  it('with control characters in it', async () => {
    const outcome = await sandbox.told(['run', yaml('"\\e]0;title\\a": 1\n')])
    expect(outcome.stderr).toMatch(/^Error: app\/moat\.yaml:2:1: unknown key "(\\u\{1b\})?.*"/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(outcome.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  })

  it('with a runtime that the engine does not have', async () => {
    const outcome = await sandbox.told(['run', yaml('container: {runtime: no-such}\n')])
    expect([outcome.code, outcome.stderr]).toEqual([
      2,
      expect.stringMatching(
        /^Error: app\/moat\.yaml:2:22: the container engine has no runtime "no-such"; it has .*runc/,
      ),
    ])
  })

  it('with a runtime that it has', async () => {
    const outcome = await sandbox.told(['run', yaml('container: {runtime: runc}\ncommand: [echo, hi]\n')])
    expect([outcome.code, outcome.stdout]).toEqual([0, 'hi\n'])
  })
})

describe('a command that does not exist', () => {
  it('as a list', async () => {
    const outcome = await sandbox.told(['run', yaml('dependencies: [node@22]\ncommand: [no-such-command]\n')])
    expect(outcome).toMatchObject({
      code: 127,
      stderr: expect.stringMatching(/\nIs there a command no-such-command in the image \(node:22-slim\)\?\n$/),
    })
  })

  it('as a text', async () => {
    const workspace = yaml('dependencies: [node@22]\ncommand: no-such-command\n')
    const hint = 'Is there a command no-such-command in the image (node:22-slim)?\n'
    await refuses(['run', workspace], 127, `sh: 1: no-such-command: not found\napp ended: exit code 127.\n${hint}`)
  })
})

describe('an image without a shell', () => {
  const image = 'moat-test-no-shell:1'

  beforeEach(async () => {
    const content = pack()
    content.entry({ name: 'file' }, 'content')
    content.finalize()
    const answer = await sandbox.docker.importImage(content, { repo: 'moat-test-no-shell', tag: '1' })
    for await (const _ of answer) {
      // Read to its end.
    }
  })
  afterEach(async () => {
    // The steps before the one that failed stay in the engine's cache, without a name; the last one takes its parents along.
    const all = await sandbox.docker.listImages({ all: true })
    const isParent = (id: string) => all.some(({ ParentId }) => ParentId === id)
    const base = all.find(({ RepoTags }) => RepoTags?.includes(image))?.Id
    const comesFrom = (id: string): boolean => {
      const parent = all.find(({ Id }) => Id === id)?.ParentId
      return parent !== undefined && parent !== '' && (parent === base || comesFrom(parent))
    }
    for (const { Id } of all) if (comesFrom(Id) && !isParent(Id)) await sandbox.docker.getImage(Id).remove()
    await sandbox.docker.getImage(image).remove()
  })

  it('cannot run a text', async () => {
    const outcome = await sandbox.told(['run', yaml(`base_image: ${image}\ncommand: npm start\n`)])
    expect(outcome).toMatchObject({
      code: 127,
      stderr: expect.stringContaining(
        `\nIs everything that the command calls, sh included, in the image (${image})?\n`,
      ),
    })
  })

  it('cannot be built on', async () => {
    const outcome = await sandbox.told(['run', yaml(`base_image: ${image}\nhooks: {post_build: "true"}\n`)])
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toMatch(
      /Error: The image could not be built: .*sh.* at Step 1\/\d: .+\n\nTry this:\n {2}choose a base_image that has a shell \(\/bin\/sh\), e\.g\. base_image: debian:bookworm-slim\n$/,
    )
  })
})

describe('a build step', () => {
  it('that fails', async () => {
    await refuses(
      ['run', yaml('dependencies: [node@22]\nhooks: {post_build_root: "echo no luck; exit 3"}\n')],
      1,
      `Error: The image could not be built: exit code 3 at Step ${process.getuid?.() === 0 ? '1/1' : '2/2'}: hooks.post_build_root: echo no luck; exit 3
  no luck

Try this:
  correct hooks.post_build_root in moat.yaml
`,
    )
  })

  it('that runs out of disk', async () => {
    // The engine gives a build 64 MB there.
    const fill = 'dd if=/dev/zero of=/dev/shm/x bs=1M count=100 status=none'
    await refuses(
      ['run', yaml(`dependencies: [node@22]\nhooks: {post_build_root: "${fill}"}\n`)],
      1,
      `Error: The image could not be built: exit code 1 at Step ${process.getuid?.() === 0 ? '1/1' : '2/2'}: hooks.post_build_root: ${fill}
  dd: error writing '/dev/shm/x': No space left on device

Try this:
  moat clean
  docker system df
`,
    )
  })
})

describe('a container that dies at once', () => {
  it('has its last words shown and its exit code passed on, its route gone', async () => {
    const workspace = yaml('dependencies: [node@22]\nports: {web: 3000}\ncommand: "echo cannot start >&2; exit 7"\n')
    const attached = await sandbox.told(['run', workspace])
    expect(attached).toMatchObject({ code: 7, stderr: expect.stringMatching(/\ncannot start\n.*exit code 7\.\n$/) })
    expect(await sandbox.json<{ agents: unknown[] }>(['list'])).toMatchObject({ agents: [] })
  })
})
