// docs/guides/writing-a-plugin.md does what it says: its files are written, its commands run, its output compared.
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { Sandbox } from '../helpers/sandbox.js'
import { freePort } from '../helpers/servers.js'

const run = promisify(execFile)
let sandbox: Sandbox
beforeEach(() => {
  sandbox = new Sandbox([process.execPath, inject('packedMoat')])
})
afterEach(() => sandbox.cleanUp())

interface Block {
  /** The file it is, for a block that is one. */
  file: string
  language: string
  text: string
}

function blocksOf(markdown: string): Block[] {
  const found = markdown.matchAll(/^```(?<language>\w+) ?(?<file>\S*)\n(?<text>.*?)^```$/gms)
  return [...found].map(({ groups }) => ({ file: '', language: '', text: '', ...groups }))
}

it('leads from npm init to an answer over HTTPS', async () => {
  // The guide names one, and another proxy may be running on it.
  const port = await freePort()
  const bin = sandbox.directory('bin', {
    moat: `#!/bin/sh\nexec "${process.execPath}" "${inject('packedMoat')}" "$@"\n`,
  })
  chmodSync(join(bin, 'moat'), 0o755)
  const env = {
    ...sandbox.env,
    HOME: sandbox.directory('user'),
    MOAT_PROXY_PORT: String(port),
    PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH}`,
  }
  const guide = readFileSync('docs/guides/writing-a-plugin.md', 'utf8')
  const here = guide.replaceAll('~/.moat', sandbox.home).replaceAll(':8080', `:${port}`)
  const parent = sandbox.directory('work')
  const package_ = join(parent, 'moat-plugin-redirect')
  let printed = ''
  for (const { file, language, text } of blocksOf(here)) {
    if (file !== '') {
      mkdirSync(dirname(join(package_, file)), { recursive: true })
      writeFileSync(join(package_, file), text)
    } else if (language === 'sh') {
      const cwd = text.startsWith('mkdir') ? parent : package_
      const { stderr, stdout } = await run('sh', ['-ec', text], { cwd, env })
      printed = stdout + stderr
    } else if (language === 'text') {
      for (const line of text.trim().split('\n')) expect(printed).toContain(line)
    }
  }
  expect(printed).toContain('307 https://example.com/docs?q={all}')
})
