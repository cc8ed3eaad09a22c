// What the command of a coding agent takes, and what it makes of it.
import { expect, it } from 'vitest'
import { toStart, withResumeValue } from '../../../src/terminal/program-flags.js'

it.each<[string, string]>([
  ['-r', '--resume='],
  ['--resume', '--resume='],
  ['-r 1f2e-3d', '-r 1f2e-3d'],
  ['--resume=1f', '--resume=1f'],
  ['-r ./app', '--resume= ./app'],
  ['-r /src/app', '--resume= /src/app'],
  ['-r . -p x', '--resume= . -p x'],
  ['app -r -p x', 'app --resume= -p x'],
  ['app', 'app'],
])('%s is %s', (line, made) => {
  expect(withResumeValue(line.split(' '))).toEqual(made.split(' '))
})

const flags = { continue: false, yolo: true }

it('has the prompt of -p, or the words after --', () => {
  expect(toStart(flags, undefined, 'claude')).toEqual({ continue: false, print: false, yolo: true })
  expect(toStart(flags, ['add', 'a', 'page'], 'claude')).toMatchObject({ print: false, prompt: 'add a page' })
  expect(toStart({ ...flags, prompt: 'x', resume: 'id' }, undefined, 'claude')).toMatchObject({
    print: true,
    prompt: 'x',
    resume: 'id',
  })
  expect(toStart({ ...flags, resume: '' }, undefined, 'claude')).toMatchObject({ resume: true })
})

it.each<[object, string[] | undefined, string]>([
  [{ prompt: 'a' }, ['b'], 'There are two prompts, one of -p and one after --.'],
  [{ prompt: ' ' }, undefined, 'The prompt is empty.'],
  [{ prompt: 'a', resume: '' }, undefined, 'Without a terminal there is no list to choose from.'],
])('refuses %j', (given, words, message) => {
  expect(() => toStart({ ...flags, ...given }, words, 'claude')).toThrow(message)
})
