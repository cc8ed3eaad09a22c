import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { collectEndpointTypes } from '../../../src/endpoints/collect-endpoint-types.js'
import { oclifPlugins } from '../../../src/endpoints/plugin-hooks.js'
import { MoatError } from '../../../src/errors.js'

/** Plugins whose function for the hook returned these types, or failed, as oclif reports it. */
function plugins(outcomes: Record<string, { fails?: Error; result?: unknown; types?: string[] }>) {
  const entries = Object.entries(outcomes).map(([name, outcome]) => ({ outcome, plugin: { name } }))
  const type = (name: string) => ({ name, options: z.unknown() })
  return oclifPlugins({
    runHook: async () => ({
      failures: entries.flatMap(({ outcome, plugin }) => (outcome.fails ? [{ error: outcome.fails, plugin }] : [])),
      successes: entries.flatMap(({ outcome, plugin }) =>
        outcome.fails ? [] : [{ plugin, result: outcome.result ?? outcome.types?.map(type) }],
      ),
    }),
  } as unknown as Parameters<typeof oclifPlugins>[0])
}

describe('collectEndpointTypes', () => {
  it('gathers the types of all plugins, each with its owner', async () => {
    const types = await collectEndpointTypes(
      plugins({ 'moat-b': { types: ['tcp'] }, 'moat-cli': { types: ['http', 'x'] } }),
    )
    expect([...types].map(([name, { plugin }]) => [name, plugin])).toEqual([
      ['tcp', 'moat-b'],
      ['http', 'moat-cli'],
      ['x', 'moat-cli'],
    ])
  })

  it.each([new Error('boom'), new MoatError('USAGE', 'boom')])(
    'names the plugin and the hook that fail: %o',
    async (fails) => {
      await expect(collectEndpointTypes(plugins({ 'moat-x': { fails } }))).rejects.toMatchObject({
        code: 'PLUGIN_FAILED',
        message: 'Plugin moat-x failed in the hook moat:endpoint-types: boom',
        suggestions: ['moat plugins inspect moat-x', 'moat plugins uninstall moat-x'],
      })
    },
  )

  it('names both plugins that declare one type, in the same order every time', async () => {
    for (const given of [
      { 'moat-a': { types: ['tcp'] }, 'moat-b': { types: ['tcp'] } },
      { 'moat-b': { types: ['tcp'] }, 'moat-a': { types: ['tcp'] } },
    ]) {
      await expect(collectEndpointTypes(plugins(given))).rejects.toThrow(
        'Plugins moat-a and moat-b both declare the endpoint type tcp.',
      )
    }
  })

  it('lets nobody claim a built-in type, and says how to be rid of who tries', async () => {
    const given = plugins({ 'moat-cli': { types: ['http'] }, zzz: { types: ['http'] } })
    await expect(collectEndpointTypes(given)).rejects.toMatchObject({
      message: 'Plugins moat-cli and zzz both declare the endpoint type http.',
      suggestions: ['moat plugins uninstall zzz'],
    })
  })

  it('loads the options of a type once they are wanted', async () => {
    const schema = z.strictObject({ port: z.int() })
    let loaded = 0
    const loadOptions = async () => {
      loaded += 1
      return schema
    }
    const types = await collectEndpointTypes(plugins({ 'moat-x': { result: [{ loadOptions, name: 'late' }] } }))
    expect(loaded).toBe(0)
    expect(await types.get('late')?.loadOptions()).toBe(schema)
  })

  it.each([
    [
      () => {
        throw new Error('boom')
      },
      'the options of the type late cannot be loaded (boom)',
    ],
    [() => ({}), 'the type late has no zod schema as its options'],
  ])('names a plugin whose options cannot be loaded: %s', async (loadOptions, reason) => {
    const types = await collectEndpointTypes(plugins({ 'moat-x': { result: [{ loadOptions, name: 'late' }] } }))
    await expect(types.get('late')?.loadOptions()).rejects.toMatchObject({
      code: 'PLUGIN_FAILED',
      message: `Plugin moat-x declares its endpoint types incorrectly: ${reason}.`,
    })
  })

  it.each([
    [{ result: 'tcp' }, 'it must return a list of endpoint types'],
    [{ result: [{ name: 'T C P', options: z.unknown() }] }, 'the name "T C P" is not a DNS label'],
    [{ result: [null] }, 'the name undefined is not a DNS label'],
    [{ result: [{ name: 'tcp', options: {} }] }, 'the type tcp has no zod schema as its options'],
  ])('names a plugin that declares nonsense: %j', async (outcome, reason) => {
    await expect(collectEndpointTypes(plugins({ 'moat-x': outcome }))).rejects.toThrow(
      `Plugin moat-x declares its endpoint types incorrectly: ${reason}.`,
    )
  })
})
