// The copy of a login of this machine: of a plain file of the user's own what is named, and nothing that another file, or a link, has.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MoatError } from '../../../src/errors.js'
import { canImport, hostLoginFile, type ImportableProgram, readHostLogin } from '../../../src/programs/host-login.js'
import { agentProgram } from '../../helpers/agent-programs.js'

let base: string
let home: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'moat-login-'))
  home = join(base, 'home')
  mkdirSync(home)
})
afterEach(() => rmSync(base, { force: true, recursive: true }))

const importable = async (name: 'claude' | 'codex' | 'gemini'): Promise<ImportableProgram> => {
  const program = await agentProgram(name)
  if (!canImport(program)) throw new Error(`the login of ${name} cannot be copied`)
  return program
}
const claude = await importable('claude')

function put(path: string, content: unknown): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 })
  return path
}
const own = (content: unknown = { claudeAiOauth: { accessToken: 'secret' } }) =>
  put(join(home, '.claude/.credentials.json'), content)
const read = (env: NodeJS.ProcessEnv = {}) => readHostLogin(claude, { env, home })
const problem = (act: () => unknown): MoatError => {
  try {
    act()
  } catch (error) {
    return error as MoatError
  }
  throw new Error('nothing was wrong')
}

describe('a login', () => {
  it('is what the package names, without keys of other services', () => {
    own({ claudeAiOauth: { accessToken: 'secret' }, mcpOAuth: { other: { accessToken: 'of another' } } })
    expect(JSON.parse(read())).toEqual({ claudeAiOauth: { accessToken: 'secret' } })
  })

  it('of Codex and of a stranger are theirs, and empty fields are none', async () => {
    put(join(home, '.codex/auth.json'), { OPENAI_API_KEY: null, other: 'x', tokens: { access_token: 'a' } })
    put(join(home, '.gemini/oauth_creds.json'), { access_token: 'b', expiry_date: 1, more: {} })
    expect(JSON.parse(readHostLogin(await importable('codex'), { env: {}, home }))).toEqual({
      tokens: { access_token: 'a' },
    })
    expect(JSON.parse(readHostLogin(await importable('gemini'), { env: {}, home }))).toEqual({
      access_token: 'b',
      expiry_date: 1,
    })
  })

  it('lies where the user has the program keep it', () => {
    own()
    const CLAUDE_CONFIG_DIR = join(base, 'other')
    put(join(CLAUDE_CONFIG_DIR, '.credentials.json'), { claudeAiOauth: { accessToken: 'other' } })
    expect(JSON.parse(read({ CLAUDE_CONFIG_DIR }))).toEqual({ claudeAiOauth: { accessToken: 'other' } })
    const place = { env: { CLAUDE_CONFIG_DIR }, home }
    expect(hostLoginFile(claude.hostLogin, place)).toBe(join(CLAUDE_CONFIG_DIR, '.credentials.json'))
    expect(JSON.parse(read({ CLAUDE_CONFIG_DIR: '' }))).toEqual({ claudeAiOauth: { accessToken: 'secret' } })
  })

  it('may lie in a home that a link leads to', () => {
    own()
    renameSync(home, join(base, 'elsewhere'))
    symlinkSync('elsewhere', home)
    expect(read()).toContain('secret')
  })
})

describe('refused is', () => {
  it.each<[string, () => void, string]>([
    ['a link', () => symlinkSync(put(join(home, 'x.json'), '{}'), join(mkdir('.claude'), '.credentials.json')), 'link'],
    [
      'what lies behind a link',
      () => {
        put(join(home, 'dotfiles/.credentials.json'), { claudeAiOauth: { accessToken: 'secret' } })
        symlinkSync('dotfiles', join(home, '.claude'))
      },
      'it is a symbolic link, or lies behind one',
    ],
    ['a pipe', () => execFileSync('mkfifo', [join(mkdir('.claude'), '.credentials.json')]), 'it is no plain file'],
    ['a directory', () => mkdir('.claude/.credentials.json'), 'it is no plain file'],
    ['what is too large', () => own(' '.repeat(65 * 1024)), 'it is no plain file of at most 64 KiB'],
    ['what is no JSON', () => own('secret'), 'there is no login in it'],
    ['a list', () => own(['secret']), 'there is no login in it'],
    ['nothing', () => own('null'), 'there is no login in it'],
    ['a login that is empty', () => own({ claudeAiOauth: null, other: 'secret' }), 'there is no login in it'],
    [
      'a name that every object has',
      () => own('{"__proto__": {"claudeAiOauth": "secret"}}'),
      'there is no login in it',
    ],
  ])('%s', (_, make, reason) => {
    make()
    const error = problem(read)
    expect(error).toMatchObject({ code: 'LOGIN_REFUSED', oclif: { exit: 2 } })
    expect(error.message).toContain('.credentials.json is not copied: ')
    expect(error.message).toContain(reason)
    expect(error.message).not.toContain('secret')
    expect(error.suggestions).toEqual(['moat grant claude', 'moat grant anthropic', 'moat claude --login'])
  })

  const mkdir = (path: string) => {
    mkdirSync(join(home, path), { recursive: true })
    return join(home, path)
  }

  it('what belongs to somebody else', () => {
    own()
    const other = (process.geteuid?.() ?? 0) + 1
    const user = vi.spyOn(process, 'geteuid').mockReturnValue(other)
    try {
      expect(problem(read).message).toContain('it belongs to another user')
    } finally {
      user.mockRestore()
    }
  })

  it.runIf(process.getuid?.() !== 0)('what cannot be read', () => {
    chmodSync(own(), 0)
    expect(problem(read).message).toContain('it cannot be read (EACCES)')
  })

  it('one that is not there, with where it may be', () => {
    const { message } = problem(read)
    expect(message).toContain('Claude Code has no login on this machine in ')
    expect(message).toContain("one in the system's keychain is not copied.")
  })
})
