// Owns that a config is read as git reads it: what the guard takes for harmless must be that to git.
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseConfigText } from '../../../src/guard/parse-config-text.js'
import { fuzzing, patience } from '../../helpers/fuzz.js'

/** As git says it. */
function byGit(text: string) {
  const { status, stdout } = spawnSync('git', ['config', '--file', '-', '--no-includes', '--null', '--list'], {
    encoding: 'utf8',
    env: { ...process.env, GIT_DIR: '/nonexistent' },
    input: text,
  })
  if (status !== 0) return undefined
  return stdout
    .split('\0')
    .slice(0, -1)
    .map((item) => {
      const end = item.indexOf('\n')
      return end < 0 ? { key: item } : { key: item.slice(0, end), value: item.slice(end + 1) }
    })
}

/** Older ones make one space of several, which changes nothing of what a value is judged by. */
const tidy = (entries: ReturnType<typeof parseConfigText>) =>
  entries?.map(({ key, value }) => (value === undefined ? { key } : { key, value: value.replace(/\s+/g, ' ') }))

it.each([
  ['what git writes', '[core]\n\tbare = false\n[remote "origin"]\n\turl = https://host.example/a.git\n'],
  ['a key on the line of its section', '[core] fsmonitor = evil'],
  ['upper case', '[CORE]\n\tFSMonitor = Evil\n[Remote "Origin"]\n\tURL = x'],
  ['a section of the old form', '[branch.Main]\n\tremote = x'],
  ['no value', '[core]\n\tfsmonitor\n[alias]'],
  ['an empty value', '[core]\n\tfsmonitor =\n'],
  ['a value over several lines', '[core]\n\tfsmo\\\nnitor = x'],
  ['a key over several lines', '[core]\n\tfsmonitor = ev\\\nil\\\n # not a comment'],
  ['quotes', '[core]\n\tfsmonitor = "a ; b" c # d "\n\tpager = "x\\"y\\\\z\\n"'],
  ['a quote that does not end', '[core]\n\tfsmonitor = "evil\n'],
  ['a comment that hides nothing', '# [core]\n; x = y\n[core] # fsmonitor = no\n\tfsmonitor = evil ; [alias]'],
  ['Windows’ ends of lines', '[core]\r\n\tfsmonitor = evil\r\n[alias]\r\n'],
  ['a return within a line', '[core]\n\tfsmonitor = a\rb\r\n'],
  ['a mark at the beginning', '\ufeff[core]\n\tfsmonitor = evil'],
  ['quoted names of sections', '[filter "a\\"b\\\\c\\d]e"]\n\tclean = evil'],
  ['a name with a line end', '[filter "a\nb"]\n\tclean = evil'],
  ['no end', '[core'],
  ['no section', 'fsmonitor = evil'],
  ['what is no key', '[core]\n\t1x = y'],
  ['a wrong escape', '[core]\n\tfsmonitor = \\x'],
  ['nothing', ''],
])('%s', (_, text) => {
  expect(tidy(parseConfigText(text))).toEqual(tidy(byGit(text)))
})

it('anything is read as git reads it', patience, () => {
  const piece = fc.constantFrom(
    ...['[core]', '[a "', '"]', ']', 'fsmonitor', ' = ', '=', '"', '\\', '\n', '\r\n', '\r', '\t', ' ', '#', ';', '.'],
    ...['x', 'B', '-', '7', 'é', '\\n', '\\"', '[b.C]', '\n[core]\n\tpager = less\n', '\v', '\f', '['],
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join('')
      expect({ text, entries: tidy(parseConfigText(text)) }).toEqual({ text, entries: tidy(byGit(text)) })
    }),
    fuzzing(150),
  )
})
