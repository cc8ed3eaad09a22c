import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MissingCommand, missingCommandHint } from '../../../src/agents/missing-command.js'

let workspace: string

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'moat-missing-'))
})
afterEach(() => rmSync(workspace, { force: true, recursive: true }))

function heard(...pieces: string[]): string | undefined {
  const missing = new MissingCommand()
  for (const piece of pieces) missing.hear(piece)
  return missing.name
}

describe('MissingCommand', () => {
  it.each([
    ['\n> dev\n> vite\n\nsh: 1: vite: not found\n', 'vite'],
    ['sh: vite: not found\n', 'vite'],
    ['bash: line 3: next: command not found\n', 'next'],
    ['/workspace/run.sh: line 2: ./tools/gen: not found', './tools/gen'],
    ['sh: 1: exec: nosuch: not found\n', 'nosuch'],
    ['zsh:1: command not found: tsx\n', 'tsx'],
    ["env: 'python': No such file or directory\n", 'python'],
    ['env: ‘node’: No such file or directory\n', 'node'],
    ["nohup: failed to run command 'nosuch': No such file or directory\n", 'nosuch'],
    ['[FATAL tini (7)] exec nosuch failed: No such file or directory', 'nosuch'],
    ['moat: cannot run nosuch: No such file or directory\n', 'nosuch'],
    ['Error: spawn vite ENOENT\n    at ChildProcess', 'vite'],
    ['exec: "air": executable file not found in $PATH\n', 'air'],
    ['error Command "vite" not found.\n', 'vite'],
    ['bundler: command not found: rails\nInstall missing gem executables with `bundle install`\n', 'rails'],
    ['Command not found: uvicorn\n', 'uvicorn'],
  ])('finds the command in %j', (text, name) => expect(heard(text)).toBe(name))

  it('takes the last one, also from two pieces', () => {
    expect(heard('sh: 1: git: not found\nsh: 1: vi', 'te: not found\n')).toBe('vite')
  })

  it('is silent about other things that are not there', () => {
    expect(heard('Error: ENOENT: no such file or directory\n404 page not found\nuser: not there\n')).toBeUndefined()
  })
})

describe('missingCommandHint', () => {
  const ask = (name: string | undefined, command: string[]) =>
    missingCommandHint(name, { command, image: 'node:22-slim', workspace })

  it('names what was missing, and what installs the packages it comes with', async () => {
    const json = { devDependencies: { vite: '8' }, scripts: { dev: 'vite' } }
    writeFileSync(join(workspace, 'package.json'), JSON.stringify(json))
    writeFileSync(join(workspace, 'package-lock.json'), '{}')
    expect(await ask('vite', ['npm', 'run', 'dev'])).toBe(
      "Is there a command vite in the image (node:22-slim)? If it comes with the project's packages, install them before it is called: npm ci",
    )
  })

  it('names the dependency that brings it', async () => {
    expect(await ask(undefined, ['npm', 'start'])).toMatch(/add node to dependencies in moat.yaml\.$/)
    expect(await ask('git', ['npm', 'start'])).toMatch(/add git to dependencies in moat.yaml\.$/)
  })

  it('asks for the command itself, or for whatever a script calls', async () => {
    expect(await ask(undefined, ['nosuch'])).toBe('Is there a command nosuch in the image (node:22-slim)?')
    expect(await ask(undefined, ['sh', '-c', 'x'])).toMatch(/^Is everything that the command calls, sh included, in/)
  })
})
