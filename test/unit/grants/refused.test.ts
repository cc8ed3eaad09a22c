// Owns what follows a 401 of a granted host: the gate tells the supervisor, which forgets the value that it remembered.
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { questionListener } from '../../../src/egress/answer-questions.js'
import { questionHeaders, questionPaths } from '../../../src/egress/opening-words.js'
import type { Question } from '../../../src/egress/questions.js'
import { tellRefused } from '../../../src/gate/tell-refused.js'
import { Grants } from '../../../src/grants/grants.js'
import { writeGrant } from '../../../src/grants/store.js'
import { temporaryDirectory } from '../config/temp-directory.js'
import { sampleGrant } from './sample-grant.js'

const close: (() => void)[] = []
afterEach(() => {
  for (const one of close.splice(0)) one()
})

it('the value is asked for anew, and only that of the grant that was used', async () => {
  const directory = await temporaryDirectory()
  const paths = { grants: join(directory, 'grants') }
  await writeGrant(paths.grants, sampleGrant({ source: { command: 'x', kind: 'command' } }), {
    open: async () => undefined,
  })
  let [count, now] = [0, 1_000_000]
  const read = async () => ({ secret: { token: `value-${++count}` } })
  const grants = new Grants(paths, { now: () => now, read })
  const told: Question[] = []
  const server = createServer(
    questionListener({
      agentOf: () => undefined,
      log: () => {},
      refused: (question) => {
        told.push(question)
        void grants.refused(['my-api', 'gone'], question)
      },
      valueFor: async () => undefined,
    }),
  )
  const socket = join(directory, 's')
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  close.push(() => server.close())

  const question = { grant: 'my-api', host: 'api.my.test', path: '/a?b', port: 443 }
  const value = async () => (await grants.secretsFor(question))?.headers['x-api-key']
  expect([await value(), await value()]).toEqual(['value-1', 'value-1'])
  now += 60_000
  const asked = { host: 'api.my.test', method: 'GET', path: '/a', port: 443, runId: 'run_000000000000' }
  tellRefused(socket, { ...asked, host: 'other.test' })
  await vi.waitFor(() => expect(told).toHaveLength(1), 10_000)
  expect(await value()).toBe('value-1')
  tellRefused(socket, asked)
  await vi.waitFor(async () => expect(await value()).toBe('value-2'), 10_000)
  expect(told[1]).toEqual(asked)
})

it('nobody who listens is no trouble', async () => {
  tellRefused(join(await temporaryDirectory(), 'none'), { host: 'a.test', port: 443, runId: 'run_000000000000' })
})

it('whatever a request has in it is told: paths in letters that headers do not take', async () => {
  const socket = join(await temporaryDirectory(), 's')
  const told: Question[] = []
  const server = createServer(
    questionListener({
      agentOf: () => undefined,
      log: () => {},
      refused: (question) => told.push(question),
      valueFor: async () => undefined,
    }),
  )
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  close.push(() => server.close())
  tellRefused(socket, { host: 'a.test', path: '/%41/ж\n\ud800', port: 443, runId: 'run_000000000000' })
  await vi.waitFor(() => expect(told).toHaveLength(1), 10_000)
  expect(told[0]?.path).toBe('/%41/%D0%B6%0A%EF%BF%BD')
})

it.each(['TRACE', 'track'])('%s is given nothing: its answer would show it', async (method) => {
  const socket = join(await temporaryDirectory(), 's')
  const valueFor = vi.fn(async () => undefined)
  const server = createServer(questionListener({ agentOf: () => undefined, log: () => {}, valueFor }))
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  close.push(() => server.close())
  const headers = {
    [questionHeaders.grant]: 'my-api',
    [questionHeaders.host]: 'api.my.test',
    [questionHeaders.method]: method,
    [questionHeaders.path]: '/a',
    [questionHeaders.port]: '443',
    [questionHeaders.run]: 'run_000000000000',
  }
  const status = await new Promise((resolve, reject) => {
    const asked = request({ headers, path: questionPaths.value, socketPath: socket }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    asked.on('error', reject).end()
  })
  expect(status).toBe(403)
  expect(valueFor).not.toHaveBeenCalled()
})
