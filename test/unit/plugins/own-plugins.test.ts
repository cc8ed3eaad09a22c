import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Config, type Interfaces } from '@oclif/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { withOwnPlugins } from '../../../src/plugins/own-plugins.js'
import { temporaryDirectory } from '../config/temp-directory.js'

const root = join(import.meta.dirname, '../../..')
const hooksOf = ({ plugins }: Pick<Interfaces.Config, 'plugins'>) =>
  Object.fromEntries([...plugins.values()].map(({ hooks, name }) => [name, hooks]))

let whole: Config

beforeAll(async () => {
  whole = await Config.load({ root })
})

describe('the hooks of moat’s own plugins', () => {
  it('are those that oclif finds', async () => {
    const own = withOwnPlugins(whole, await temporaryDirectory())
    expect(own && hooksOf(own)).toEqual(hooksOf(whole))
    expect(Object.keys(hooksOf(whole))).toContain('moat-plugin-tcp')
  })

  it('run as oclif runs them', async () => {
    const run = async (config: Pick<Interfaces.Config, 'runHook'> | undefined) => {
      const outcome = await config?.runHook('moat:endpoint-types' as 'init', {} as never, 30_000, true)
      const types = outcome?.successes.map(({ plugin, result }) => [
        plugin.name,
        (result as unknown as { name: string }[]).map(({ name }) => name),
      ])
      return { failures: outcome?.failures, types: types?.toSorted() }
    }
    const own = await run(withOwnPlugins(whole, await temporaryDirectory()))
    expect(own).toEqual(await run(whole))
    expect(own.failures).toEqual([])
    expect(own.types).toContainEqual(['moat-plugin-mock', ['mock']])
  })
})

describe('oclif is left to load them', () => {
  it.each([
    ['where a plugin is installed', '{"oclif":{"plugins":["moat-plugin-other"]}}'],
    ['where the list of those that are installed cannot be read', '{'],
  ])('%s', async (_, list) => {
    const directory = await temporaryDirectory()
    writeFileSync(join(directory, 'package.json'), list)
    expect(withOwnPlugins(whole, directory)).toBeUndefined()
  })

  it('where one that moat brings is not where Node looks for it', async () => {
    const alone = join(await temporaryDirectory(), 'moat')
    mkdirSync(alone)
    const config = Object.assign(Object.create(whole) as Config, { root: alone })
    expect(withOwnPlugins(config, await temporaryDirectory())).toBeUndefined()
  })
})
