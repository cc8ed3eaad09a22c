// What the documentation names is there: tests that prove a guarantee, and the pages that links lead to.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync('docs', { recursive: true })
    .map((name) => join('docs', String(name)))
    .filter((name) => name.endsWith('.md')),
]

describe('a guarantee', () => {
  const rows = readFileSync('docs/reference/guarantees.md', 'utf8')
    .split('\n')
    .filter((line) => /^\| [^|]/.test(line))

  it.each(rows)('%s', (row) => {
    const proofs = [...row.matchAll(/`((?:unit|integration|e2e)\/[^`]*)`/g)].map(([, path = '']) => path)
    expect(proofs).not.toEqual([])
    for (const path of proofs) expect([path, existsSync(join('test', path))]).toEqual([path, true])
  })

  it('stands in more than a few rows', () => {
    expect(rows.length).toBeGreaterThan(20)
  })
})

/** As GitHub makes it of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')

it.each(pages)('the links of %s lead somewhere', (page) => {
  const text = readFileSync(page, 'utf8').replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
  const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, link = '']) => link)
  for (const link of links) {
    const [path = '', fragment] = link.split('#')
    const target = path === '' ? page : join(dirname(page), path)
    expect([link, existsSync(target)]).toEqual([link, true])
    if (fragment === undefined || !target.endsWith('.md')) continue
    const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      anchor(heading),
    )
    expect([link, headings.includes(fragment)]).toEqual([link, true])
  }
})

it('packages say alike who may run them and how they are published', () => {
  const packages = [
    'package.json',
    ...readdirSync('plugins', { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `plugins/${name}/package.json`),
  ]
  const facts = packages.map((file) => {
    const { engines, files, license, publishConfig, type } = JSON.parse(readFileSync(file, 'utf8'))
    expect([file, files.length > 0]).toEqual([file, true])
    return { engines, license, publishConfig, type }
  })
  for (const one of facts) expect(one).toEqual(facts[0])
})
