import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { collectEndpointTypes } from '../../../src/endpoints/collect-endpoint-types.js'
import { http } from '../../../src/endpoints/http.js'

/** An oclif config whose plugins answered the hook with these types, or failed. */
function configWith(plugins: Record<string, { fails?: Error; types?: string[] }>) {
  const entries = Object.entries(plugins).map(([name, outcome]) => ({ outcome, plugin: { name } }))
  const type = (name: string) => ({ name, options: z.unknown(), register: () => ({ routes: [] }) })
  return {
    runHook: async () => ({
      failures: entries.flatMap(({ outcome, plugin }) => (outcome.fails ? [{ error: outcome.fails, plugin }] : [])),
      successes: entries.flatMap(({ outcome, plugin }) =>
        outcome.types ? [{ plugin, result: outcome.types.map(type) }] : [],
      ),
    }),
  } as unknown as Parameters<typeof collectEndpointTypes>[0]
}

describe('collectEndpointTypes', () => {
  it('gathers the types of all plugins', async () => {
    const types = await collectEndpointTypes(
      configWith({ 'moat-b': { types: ['tcp'] }, 'moat-cli': { types: ['http'] } }),
    )
    expect([...types.keys()]).toEqual(['tcp', 'http'])
  })

  it('names the plugin that fails', async () => {
    await expect(collectEndpointTypes(configWith({ 'moat-x': { fails: new Error('boom') } }))).rejects.toMatchObject({
      code: 'PLUGIN_FAILED',
      message: 'Plugin moat-x failed in the hook moat:endpoint-types: boom',
    })
  })

  it('names both plugins that declare one type, in the same order every time', async () => {
    for (const plugins of [
      { 'moat-a': { types: ['tcp'] }, 'moat-b': { types: ['tcp'] } },
      { 'moat-b': { types: ['tcp'] }, 'moat-a': { types: ['tcp'] } },
    ]) {
      await expect(collectEndpointTypes(configWith(plugins))).rejects.toThrow(
        'Plugins moat-a and moat-b both declare the endpoint type tcp.',
      )
    }
  })
})

describe('http', () => {
  it('routes to its port and accepts nothing else', () => {
    expect(http.register({ agent: { name: 'a', workspace: '/w' }, name: 'web', options: { port: 3000 } })).toEqual({
      port: 3000,
      routes: [{ upstream: { port: 3000, protocol: 'http' } }],
    })
    expect(http.options.safeParse({ port: 0 }).success).toBe(false)
    expect(http.options.safeParse({ port: 3000, prot: 'x' }).success).toBe(false)
  })
})
