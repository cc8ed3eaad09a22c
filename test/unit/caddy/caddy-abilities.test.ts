// What a Caddy can do is asked of it once, until it is another one.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { caddyAbilities } from '../../../src/caddy/caddy-abilities.js'
import { layer4Modules } from '../../../src/caddy/front.js'
import { fakeCaddy } from '../../helpers/fake-caddy.js'

let directory: string
let memory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-'))
  memory = join(directory, 'abilities')
})
afterEach(() => rmSync(directory, { recursive: true }))

const ask = (path: string) => caddyAbilities(path, { caddyAbilities: memory })
const timesAsked = (path: string) => readFileSync(`${path}.log`, 'utf8').trim().split('\n').length

describe('the abilities of a Caddy', () => {
  it('are asked for once, and again of another program at the same path', async () => {
    const path = fakeCaddy(directory, layer4Modules)
    expect(await ask(path)).toEqual({ layer4: true })
    expect(await ask(path)).toEqual({ layer4: true })
    expect(timesAsked(path)).toBe(1)
    fakeCaddy(directory, layer4Modules.slice(1))
    expect(await ask(path)).toEqual({ layer4: false })
    expect(await ask(path)).toEqual({ layer4: false })
    expect(timesAsked(path)).toBe(2)
  })

  it.each(['', 'layer4\n', '["/other","1","2",11]\nlayer4\n'])(
    'are asked for where what was remembered is %j',
    async (text) => {
      const path = fakeCaddy(directory, [])
      writeFileSync(memory, text)
      expect(await ask(path)).toEqual({ layer4: false })
    },
  )

  it('are none of a program that does not tell, and that is not remembered', async () => {
    const path = fakeCaddy(directory, [])
    writeFileSync(path, '#!/bin/sh\nexit 1\n')
    expect(await ask(path)).toEqual({ layer4: false })
    expect(existsSync(memory)).toBe(false)
    expect(await ask(join(directory, 'nothing'))).toEqual({ layer4: false })
  })
})
