// Which image an agent starts from, and what is put on top of it.
import { describe, expect, it } from 'vitest'
import { type ImageRequest, needsBuild, planImage, sourceImages } from '../../../src/images/plan-image.js'

function plan(dependencies: string[], rest: Partial<ImageRequest> = {}) {
  return planImage({ dependencies, hooks: { postBuild: [], postBuildRoot: [] }, ...rest })
}

describe('planImage', () => {
  it.each([
    [[], 'debian:bookworm-slim'],
    [['node'], 'node:22-slim'],
    [['python@3.13'], 'python:3.13-slim'],
    [['go@1.24', 'go@1.24'], 'golang:1.24'],
    [['bun'], 'oven/bun:1-slim'],
  ])('takes %j as it stands: %s', (dependencies, base) => {
    expect(plan(dependencies)).toMatchObject({ base })
    expect(needsBuild(plan(dependencies))).toBe(false)
  })

  it.each<[string[], string, string[]]>([
    [['git'], 'debian:bookworm-slim', []],
    [['git', 'node@24'], 'node:24-slim', []],
    [['claude-code'], 'node:22-slim', []],
    [['claude-code', 'node@24'], 'node:24-slim', []],
    [['python@3.12', 'claude-code'], 'python:3.12-slim', ['node:22-slim']],
    [['node@22', 'uv'], 'node:22-slim', ['python:3.12-slim-bookworm']],
    [['node@22', 'go@1.24'], 'debian:bookworm-slim', ['node:22-slim', 'golang:1.24']],
  ])('starts %j from %s and copies from %j', (dependencies, base, copied) => {
    expect(needsBuild(plan(dependencies))).toBe(true)
    expect(sourceImages(plan(dependencies))).toEqual([base, ...copied])
  })

  it('installs on the base_image, and brings no runtime there that nobody named', () => {
    const baseImage = 'my-image:1'
    expect(needsBuild(plan([], { baseImage }))).toBe(false)
    expect(sourceImages(plan(['git', 'typescript'], { baseImage }))).toEqual([baseImage])
    expect(sourceImages(plan(['node'], { baseImage }))).toEqual([baseImage, 'node:22-slim'])
  })

  it('builds for hooks alone', () => {
    expect(needsBuild(plan(['node'], { hooks: { postBuild: ['x'], postBuildRoot: [] } }))).toBe(true)
    expect(needsBuild(plan(['node'], { hooks: { postBuild: [], postBuildRoot: ['x'] } }))).toBe(true)
  })

  it('says where a wrong dependency stands', () => {
    const place = (index: number) => `moat.yaml:2:${index}`
    expect(() => plan(['node', 'gti'], { place })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: 'moat.yaml:2:1: "gti" is not a dependency that moat knows; did you mean "git"?',
        suggestions: ['moat deps list', 'or name the package: apt:gti, npm:gti, pip:gti, cargo:gti'],
      }),
    )
    expect(() => plan(['a\u0000\nb'], { place })).toThrow('moat.yaml:2:0: "a\\u0000\\nb" is not')
    expect(() => plan(['node@20', 'git', 'node@22'], { place })).toThrow(
      'moat.yaml:2:2: node@20 and node@22 cannot both be installed: keep one of them.',
    )
    expect(() => plan(['typescript', 'npm:typescript@5'])).toThrow(
      'typescript and npm:typescript@5 cannot both be installed',
    )
  })
})
