// What an entry of `dependencies` means, and what is said of one that means nothing.
import { describe, expect, it } from 'vitest'
import { parseDependency } from '../../../src/images/dependency.js'
import { describeTool, listTools } from '../../../src/images/describe-tools.js'
import { knownTools } from '../../../src/images/registry.js'

describe('parseDependency', () => {
  it.each([
    ['node', { kind: 'runtime', version: '22' }],
    ['node@20.11', { kind: 'runtime', version: '20.11' }],
    ['ripgrep', { kind: 'apt', packages: ['ripgrep'] }],
    ['sqlite', { kind: 'apt', packages: ['sqlite3'] }],
    ['claude-code', { kind: 'npm', packages: ['@anthropic-ai/claude-code'] }],
    ['typescript@5.9', { kind: 'npm', packages: ['typescript'], version: '5.9' }],
    ['npm:cowsay@1.6.0', { kind: 'npm', packages: ['cowsay'], version: '1.6.0' }],
    ['npm:@scope/tool', { kind: 'npm', packages: ['@scope/tool'] }],
    ['npm:@scope/tool@next', { kind: 'npm', packages: ['@scope/tool'], version: 'next' }],
    ['pip:uvicorn[standard]@0.34.0', { kind: 'pip', packages: ['uvicorn[standard]'], version: '0.34.0' }],
    ['go:golang.org/x/tools/gopls@v0.18.1', { kind: 'go', packages: ['golang.org/x/tools/gopls'], version: 'v0.18.1' }],
    ['cargo:ripgrep@14.1.1', { kind: 'cargo', packages: ['ripgrep'], version: '14.1.1' }],
    ['apt:libpq-dev', { kind: 'apt', packages: ['libpq-dev'] }],
  ])('of %s', (text, meaning) => {
    const dependency = parseDependency(text)
    expect(dependency).toMatchObject(meaning)
    expect(dependency.version).toBe('version' in meaning ? meaning.version : undefined)
  })

  it.each([
    ['gti', '"gti" is not a dependency that moat knows; did you mean "git"?'],
    ['kafka', '"kafka" is not a dependency that moat knows.'],
    [
      'postgres@17',
      `"postgres" is a service, with a container of its own beside the agent's: write services: {postgres: 17}.`,
    ],
    ['node@lts', '"node@lts" has no version number: write digits and dots, e.g. node@22.'],
    ['node@22-alpine', '"node@22-alpine" has no version number: write digits and dots, e.g. node@22.'],
    ['node@', '"node@" is not a dependency: write a name, or name@version, e.g. node@22.'],
    ['@22', '"@22" is not a dependency: write a name, or name@version, e.g. node@22.'],
    ['node 22', '"node 22" is not a dependency: write a name, or name@version, e.g. node@22.'],
    ['git@2.43', '"git@2.43" is a Debian package, whose version Debian chooses: write "git".'],
    ['apt:jq@1.6', '"apt:jq@1.6" is a Debian package, whose version Debian chooses: write "apt:jq".'],
    ['nmp:cowsay', '"nmp:cowsay" has a prefix that moat does not know; did you mean "npm:"?'],
    [
      'docker:dind',
      '"docker:dind" is not for this moat: it gives no agent a container engine, neither yours nor another.',
    ],
    [
      'postgres@16',
      `"postgres" is a service, with a container of its own beside the agent's: write services: {postgres: 16}.`,
    ],
    ['image:x', '"image:x" has a prefix that moat does not know; the kinds are apt, cargo, go, npm, pip.'],
    ['npm:', '"npm:" is not the name of an npm package: write, for example, npm:typescript@5.9.'],
    ['npm:a@', '"npm:a@" has a version that cannot be chosen: write, for example, npm:typescript@5.9.'],
    [
      'go:x/y@1.2.3',
      '"go:x/y@1.2.3" is not the name of a go package: write, for example, go:golang.org/x/tools/gopls@v0.18.1.',
    ],
    [
      'gopls@1.2.3',
      '"gopls@1.2.3" has a version that cannot be chosen: write, for example, go:golang.org/x/tools/gopls@v0.18.1.',
    ],
    ['toString', '"toString" is not a dependency that moat knows.'],
  ])('refuses %s', (text, message) => {
    expect(() => parseDependency(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message }))
  })

  it.each([
    'npm:a;id',
    'npm:a@1;id',
    'pip:$(id)',
    "pip:a'b",
    'pip:a@1 b',
    'apt:a b',
    'apt:-y',
    'npm:--global',
    'cargo:a\nb',
    'go:a.b/`id`',
  ])('lets no shell text pass: %j', (text) =>
    expect(() => parseDependency(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })),
  )
})

describe('the registry', () => {
  it('holds names and packages that moat.yaml could name, too', () => {
    for (const [name, tool] of knownTools()) {
      expect(name).toMatch(/^[a-z][a-z0-9-]*$/)
      if (tool.kind === 'runtime')
        expect(parseDependency(`${name}@${tool.defaultVersion}`)).toMatchObject({ runtime: tool })
      else
        for (const item of tool.packages)
          expect(parseDependency(`${tool.kind}:${item}`)).toMatchObject({ kind: tool.kind })
    }
  })

  it('has the common tools', () => {
    const names = listTools().map(({ name }) => name)
    const common =
      'build-essential bun claude-code codex curl gh git go jq make node pnpm postgresql-client python ripgrep ruby rust sqlite typescript uv yarn'
    expect(names).toEqual(expect.arrayContaining(common.split(' ')))
    expect(names).toEqual(names.toSorted())
  })
})

describe('describeTool', () => {
  it('says where a tool comes from, what it needs, and how to write it', () => {
    expect(describeTool('claude-code')).toMatchObject({
      defaultVersion: 'latest',
      examples: ['claude-code', 'claude-code@1.2.3'],
      installs: ['@anthropic-ai/claude-code'],
      kind: 'npm',
      needs: 'node',
    })
    expect(describeTool('python')).toMatchObject({
      examples: ['python', 'python@3.12'],
      installs: ['python:3.12-slim'],
      needs: null,
    })
    expect(describeTool('git')).toMatchObject({ defaultVersion: null, examples: ['git'], needs: null })
    expect(() => describeTool('nod')).toThrow('did you mean "node"?')
  })

  it('gives examples that can be written', () => {
    for (const { name } of listTools()) for (const example of describeTool(name).examples) parseDependency(example)
  })
})
