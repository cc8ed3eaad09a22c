// The build of Caddy with layer4, with a Go that only says what it was asked.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../helpers/until.js'

const needed = /^go (.+)$/m.exec(readFileSync('caddy/layer4/go.mod', 'utf8'))?.[1] ?? ''
const prelude = `set -euo pipefail
ROOT=${resolve('.')} CACHE=$HOME/cache MOAT_CADDY=/bin/false
has() { command -v "$1" >/dev/null; }
say() { :; }
caddy_is_new_enough() { [ "$1" != /bin/false ]; }
. "$ROOT/scripts/setup/layer4.sh"
start_layer4_build
`

let home: string
const pidFile = () => join(home, 'pid')

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'moat-layer4-'))
  mkdirSync(join(home, 'cache'))
})
afterEach(() => {
  // Of a build that should have ended by itself.
  if (existsSync(pidFile()) && runs(Number(readFileSync(pidFile(), 'utf8'))))
    process.kill(Number(readFileSync(pidFile(), 'utf8')), 'SIGKILL')
  rmSync(home, { force: true, recursive: true })
})

/** What it does when it is told to build or to download, else it succeeds. */
function writeGo({ build = '', download = '', version = needed } = {}): void {
  mkdirSync(join(home, 'bin'), { recursive: true })
  writeFileSync(
    join(home, 'bin/go'),
    `#!/bin/bash
case $1 in
  env) echo go${version} ;;
  mod) ${download || ':'} ;;
  build)
    echo build >>"$HOME/builds"
    ${build || ':'}
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho caddy.listeners.layer4\\n' >"$2"
    chmod +x "$2"
    ;;
esac
`,
    { mode: 0o755 },
  )
}

const start = (script = 'wait') =>
  spawn('bash', ['-c', prelude + script], {
    env: { GOROOT: '/nonexistent', HOME: home, PATH: `${home}/bin:/usr/bin:/bin` },
    stdio: 'ignore',
  })
/** False for one that has ended, though nobody has asked after it. */
const runs = (pid: number) =>
  /^[^Z]/.test(spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).stdout)
const build = async () => once(start(), 'exit')

/** What there is of the build: the file's ending, and what it says. */
function outcome(): Record<string, string> {
  const [directory = ''] = readdirSync(join(home, 'cache')).filter((name) => name.startsWith('layer4-'))
  const found = readdirSync(join(home, 'cache', directory)).filter((name) =>
    /^caddy(\.(failed|unavailable))?$/.test(name),
  )
  return Object.fromEntries(found.map((name) => [name, readFileSync(join(home, 'cache', directory, name), 'utf8')]))
}

describe('a Caddy with layer4', () => {
  it('is there after the build, and nothing else that was needed for it', async () => {
    writeGo()
    await build()
    expect(Object.keys(outcome())).toEqual(['caddy'])
    expect(readdirSync(join(home, 'cache')).filter((name) => name.startsWith('layer4.build'))).toEqual([])
  })

  it('is out of reach without Go', async () => {
    // All tools but that one.
    mkdirSync(join(home, 'bin'))
    const tools = 'awk bash cat cksum cp flock grep mkdir mv nice rm sed sh sleep tail tr'.split(' ')
    for (const tool of tools) {
      const found = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim()
      if (found) symlinkSync(found, join(home, 'bin', tool))
    }
    const env = { GOROOT: '/nonexistent', HOME: home, PATH: join(home, 'bin') }
    spawnSync('bash', ['-c', `${prelude}wait`], { env })
    expect(outcome()).toEqual({ 'caddy.unavailable': 'There is no Go here.\n' })
  })

  it.each(['1.9', '1.25.7'])('is out of reach with Go %s', async (version) => {
    writeGo({ version })
    await build()
    const told = `${home}/bin/go is too old: caddy/layer4 needs Go ${needed}.\n`
    expect(outcome()).toEqual({ 'caddy.unavailable': told })
  })

  it.each(['1.26.1', '1.27rc1', '2.0'])('is built with Go %s', async (version) => {
    writeGo({ version })
    await build()
    expect(Object.keys(outcome())).toEqual(['caddy'])
  })

  it('is out of reach without the module proxy, but not when what comes is not what was pinned', async () => {
    writeGo({ download: 'echo "dial tcp: lookup proxy: no such host"; exit 1' })
    await build()
    expect(outcome()['caddy.unavailable']).toMatch(/no such host\n.+could not be fetched/)
    writeGo({ download: 'echo "verifying x: checksum mismatch"; exit 1' })
    await build()
    expect(outcome()).toEqual({ 'caddy.failed': expect.stringContaining('checksum mismatch') })
  })

  it('has failed when it should have been built', async () => {
    writeGo({ build: 'echo "main.go:1: no" >&2; exit 1' })
    await build()
    expect(outcome()).toEqual({ 'caddy.failed': 'main.go:1: no\n' })
  })

  it('is built once by two at once, and leaves what others build alone', async () => {
    const other = join(home, 'cache/layer4.build-other')
    mkdirSync(other)
    writeGo({ build: 'while [ ! -e "$HOME/go-on" ]; do sleep 0.05; done' })
    const both = [start(), start()]
    const ends = both.map((one) => once(one, 'exit'))
    await until('a build', () => existsSync(join(home, 'builds')))
    writeFileSync(join(home, 'go-on'), '')
    await Promise.all(ends)
    expect(readFileSync(join(home, 'builds'), 'utf8')).toBe('build\n')
    expect(Object.keys(outcome())).toEqual(['caddy'])
    expect(existsSync(other)).toBe(true)
  })

  it('is built for nobody who was killed', async () => {
    writeGo({ build: 'echo $$ >"$HOME/pid"; exec sleep 300' })
    const script = start()
    const end = once(script, 'exit')
    const pid = await until('its process', () => existsSync(pidFile()) && Number(readFileSync(pidFile(), 'utf8')))
    script.kill('SIGKILL')
    await end
    await until('the end of the build', () => !runs(pid))
  })
})
