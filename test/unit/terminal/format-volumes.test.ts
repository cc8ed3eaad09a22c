import { expect, it } from 'vitest'
import { describeKept, describeVolume, formatVolumes } from '../../../src/terminal/format-volumes.js'

const volume = {
  abandoned: true,
  id: 'moat-mods-1',
  name: 'mods',
  place: '/srv/a\u001b[31m',
  usedBy: ['moat-app-1', 'moat-b-1'],
}

it('shows whose each is, who uses it, and nothing that moves the cursor', () => {
  const rows = [volume, { ...volume, abandoned: false, createdAt: '2026-01-01T00:00:00.000Z', place: '/b', usedBy: [] }]
  expect(formatVolumes(rows, { now: Date.parse('2026-01-01T00:02:00.000Z') }).split('\n')).toEqual([
    'NAME  VOLUME       AGE     USED BY     WORKSPACE',
    'mods  moat-mods-1          moat-app-1  /srv/a\\u{1b}[31m (gone)',
    '                           moat-b-1',
    'mods  moat-mods-1  2m ago  -           /b',
  ])
  const sized = [
    { ...volume, size: 1_234_567 },
    { ...volume, place: '/b' },
  ]
  expect(formatVolumes(sized, { sizes: true }).split('\n')[0]).toMatch(/^NAME +VOLUME +SIZE +AGE /)
  expect(formatVolumes(sized, { sizes: true })).toMatch(/moat-mods-1 +1\.2 MB +.*\n.*\n.*moat-mods-1 +\? /)
  expect(describeVolume(volume)).toBe('volume  mods of /srv/a\\u{1b}[31m (moat-mods-1)')
  expect(describeKept([volume])).toBe('1 volume of workspaces that are gone stays: moat volumes prune')
})
