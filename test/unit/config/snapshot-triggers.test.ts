// When snapshots are taken while an agent works: as moat.yaml and config.yaml say it, and in the words of the Go program.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { wantedTriggers } from '../../../src/agents/watch-workspace.js'
import { loadMoatYaml } from '../../../src/config/moat-yaml.js'
import { loadSettings } from '../../../src/config/settings.js'
import { caught } from './caught.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-triggers-'))
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

test.each([
  ['triggers: [commit, idle]', { triggers: { commit: true, idle: 30 } }],
  ['triggers: {commit: true, idle: 60}', { triggers: { commit: true, idle: 60 } }],
  ['triggers: {commit: false, idle: true}', { triggers: { idle: 30 } }],
  ['triggers: []', {}],
  ['triggers: {disable_git_commits: false, disable_pre_run: true}', { disabled: true, triggers: { commit: true } }],
  ['triggers: {disable_idle: false, idle_threshold_seconds: 90}', { triggers: { idle: 90 } }],
  ['triggers: {idle_threshold_seconds: 90}', { triggers: { idle: 90 } }],
  ['triggers: {disable_idle: true, idle_threshold_seconds: 90, disable_builds: true, disable_git_commits: true}', {}],
  ['disabled: true, triggers: [commit]', { disabled: true }],
])('moat.yaml: snapshots: {%s}', async (text, snapshots) => {
  writeFileSync(join(directory, 'moat.yaml'), `snapshots: {${text}}`)
  expect((await loadMoatYaml(directory)).config.snapshots).toStrictEqual(snapshots)
})

test('config.yaml has the same, but not the words of the Go program', async () => {
  const file = join(directory, 'config.yaml')
  writeFileSync(file, 'snapshots: {triggers: {commit: true, idle: 5}}')
  expect((await loadSettings(file)).snapshots).toStrictEqual({ triggers: { commit: true, idle: 5 } })
  writeFileSync(file, 'snapshots: {triggers: {disable_idle: false}}')
  expect(await caught(() => loadSettings(file))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('config.yaml:1:38: "snapshots.triggers.disable_idle" is not known;'),
  })
})

test("the user's own come first, and who wants none before runs has none that only moat.yaml asks for", () => {
  const declared = { commit: true, idle: 60 } as const
  expect(wantedTriggers({}, declared)).toStrictEqual(declared)
  expect(wantedTriggers({ triggers: { idle: 5 } }, declared)).toStrictEqual({ commit: true, idle: 5 })
  expect(wantedTriggers({ disabled: true, triggers: { commit: true } }, declared)).toStrictEqual({ commit: true })
  expect(wantedTriggers({})).toStrictEqual({})
})
