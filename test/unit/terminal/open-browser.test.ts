import { expect, it } from 'vitest'
import { noBrowserReason } from '../../../src/terminal/open-browser.js'

it.each([
  [{}, { isTTY: false, platform: 'darwin' }, 'there is no terminal'],
  [{}, { isTTY: true, platform: 'darwin' }, undefined],
  [{}, { isTTY: true, platform: 'linux' }, 'there is no display'],
  [{ DISPLAY: ':0' }, { isTTY: true, platform: 'linux' }, undefined],
  [{ WAYLAND_DISPLAY: 'wayland-0' }, { isTTY: true, platform: 'linux' }, undefined],
  [{ WSL_DISTRO_NAME: 'Debian' }, { isTTY: true, platform: 'linux' }, undefined],
] as const)('with %j on %j: %s', (env, machine, reason) => {
  expect(noBrowserReason(env, machine)).toBe(reason)
})
