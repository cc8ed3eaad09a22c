// Owns being asked before something is signed: by whatever asks for ssh, once at a time, and that no answer is a no.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { askConfirm, findAskpass } from '../../../src/ssh/ask-confirm.js'
import { until } from '../../helpers/until.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-askpass-'))
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

const file = (name: string) => join(directory, name)
const read = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '')

function program(name: string, script: string): string {
  writeFileSync(file(name), `#!/bin/sh\ncd ${directory}\n${script}\n`)
  chmodSync(file(name), 0o755)
  return file(name)
}

const withPath = { PATH: process.env.PATH }

it('asks by SSH_ASKPASS, which is told that yes or no is wanted', async () => {
  const SSH_ASKPASS = program('mine', 'printf "%s|%s|%s" "$#" "$1" "$SSH_ASKPASS_PROMPT" > said')
  expect(await askConfirm('Shall it? $(touch run)', { ...withPath, SSH_ASKPASS })).toBe(true)
  expect(read('said')).toBe('1|Shall it? $(touch run)|confirm')
  expect(existsSync(file('run'))).toBe(false)
})

it('else by the ssh-askpass that is on PATH', async () => {
  const own = program('ssh-askpass', 'exit 0')
  const PATH = `${file('nowhere')}:${directory}:${process.env.PATH}`
  expect(await findAskpass({ PATH })).toBe(own)
  expect(await askConfirm('Shall it?', { PATH })).toBe(true)
})

it.each([
  ['no', 'exit 1'],
  ['a window that is closed', 'kill -9 $$'],
  ['no place to show one', 'echo "cannot open display" >&2; exit 255'],
])('takes %s for a no', async (_, script) => {
  expect(await askConfirm('Shall it?', { ...withPath, SSH_ASKPASS: program('mine', script) })).toBe(false)
})

it('takes a program that is not there, or none, for a no', async () => {
  expect(await askConfirm('Shall it?', { ...withPath, SSH_ASKPASS: file('absent') })).toBe(false)
  writeFileSync(file('text'), 'no program')
  expect(await askConfirm('Shall it?', { ...withPath, SSH_ASKPASS: file('text') })).toBe(false)
})

it('shows one question at a time', async () => {
  const SSH_ASKPASS = program(
    'mine',
    'echo "$1" >> said; while [ -e said ] && ! [ -s "$1" ]; do sleep 0.02; done; exit $(cat "$1")',
  )
  const answers = ['one', 'two', 'three'].map((question) => askConfirm(question, { ...withPath, SSH_ASKPASS }))
  await until('the first question', () => read('said') === 'one\n')
  writeFileSync(file('one'), '1')
  await until('the second question', () => read('said') === 'one\ntwo\n')
  // Whatever became of the ones before.
  writeFileSync(file('three'), '0')
  writeFileSync(file('two'), '0')
  expect(await Promise.all(answers)).toEqual([false, true, true])
  expect(read('said')).toBe('one\ntwo\nthree\n')
})
