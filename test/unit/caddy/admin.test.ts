import got from 'got'
import nock from 'nock'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { reasonOf } from '../../../src/caddy/admin.js'

afterEach(() => nock.cleanAll())
// Else all that later files of this process ask would go through it.
afterAll(() => nock.restore())

/** What got throws for an answer like Caddy's. */
async function errorFor(status: number, body: string): Promise<unknown> {
  nock('http://caddy.test').post('/load').reply(status, body)
  return got.post('http://caddy.test/load', { json: {}, retry: { limit: 0 } }).catch((error) => error)
}

describe("an admin API error is in Caddy's own words", () => {
  it('from its JSON', async () => {
    expect(reasonOf(await errorFor(400, '{"error":"loading config: unknown module: x"}'))).toBe(
      'loading config: unknown module: x',
    )
  })

  it('from its text when it is not JSON', async () => {
    expect(reasonOf(await errorFor(500, 'broken'))).toBe('broken')
  })

  it("or got's when there is no answer", async () => {
    nock('http://caddy.test')
      .get('/config/')
      .replyWithError(Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' }))
    const error = await got('http://caddy.test/config/', { retry: { limit: 0 } }).catch((thrown) => thrown)
    expect(reasonOf(error)).toContain('connect ENOENT')
  })
})
