// What moat doctor tells of a project: its frameworks, what is set for each, and the line that another wants.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkProject } from '../../../src/doctor/check-project.js'
import type { CheckedProject } from '../../../src/doctor/diagnosis.js'
import { type ErrorCode, MoatError } from '../../../src/errors.js'
import { nothingToTrust } from '../../../src/projects/behind-proxy.js'
import { DoctoredMachine } from '../../helpers/doctored-machine.js'

let machine: DoctoredMachine

beforeEach(() => {
  machine = new DoctoredMachine()
})
afterEach(() => machine.end())

const check = (project?: CheckedProject) => checkProject({ ...machine.context, ...(project && { project }) })

describe('the project', () => {
  it('is not spoken of when none is named', async () => {
    expect(await check()).toEqual([])
  })

  it('has its frameworks, each with what is set for it, the line to add, or why it wants nothing', async () => {
    const plan = async (domain: string) => ({
      hostHint: {
        config: 'next.config.ts',
        endpoint: 'web',
        line: `allowedDevOrigins: ['*.app.${domain}']`,
        takesAgent: true,
        title: 'Next.js 16.2.12',
      },
      name: 'app',
      proxyTrust: {
        lines: [{ line: 'app.proxy = true', says: 'does not know that its URL is https', title: 'Koa', to: 'app.js' }],
        settings: [
          { ofCommand: true, title: 'Django', variables: { HTTPS: 'on' } },
          { ofCommand: false, title: 'Uvicorn', variables: { A: '1', B: '2' } },
        ],
        settled: [{ title: 'Vite', why: 'It takes them.' }],
      },
    })
    const fix = (line: string) => ({ fixes: [line], status: 'warn' })
    expect(await check({ path: '.', plan })).toEqual([
      {
        check: 'Next.js 16.2.12',
        message: 'It refuses requests at https://web.app.localhost.',
        ...fix("allowedDevOrigins: ['*.app.localhost']   # in next.config.ts"),
      },
      {
        check: 'Django',
        fixes: [],
        message: 'moat run sets HTTPS=on, for its command alone, unless the image does.',
        status: 'ok',
      },
      { check: 'Uvicorn', fixes: [], message: 'moat run sets A=1 B=2, unless the image does.', status: 'ok' },
      { check: 'Vite', fixes: [], message: 'It takes them.', status: 'ok' },
      { check: 'Koa', message: 'It does not know that its URL is https.', ...fix('app.proxy = true   # in app.js') },
    ])
  })

  it('may have none', async () => {
    const plan = async () => ({ name: 'app', proxyTrust: nothingToTrust })
    expect(await check({ path: '.', plan })).toMatchObject([{ check: 'project', status: 'ok' }])
  })

  it('without a moat.yaml is looked at as moat init would write it; any other error is told', async () => {
    const directory = join(machine.home, 'shop')
    mkdirSync(directory)
    writeFileSync(join(directory, 'requirements.txt'), 'Django\n')
    writeFileSync(join(directory, 'manage.py'), '')
    const refuse = (code: ErrorCode) => async () => {
      throw new MoatError(code, 'There is none.', { suggestions: ['moat init'] })
    }
    expect(await check({ path: directory, plan: refuse('CONFIG_MISSING') })).toMatchObject([
      { check: 'project', fixes: ['moat init'], message: 'There is none.', status: 'warn' },
      { check: 'Django', message: expect.stringContaining('HTTPS=on'), status: 'ok' },
    ])
    await expect(check({ path: directory, plan: refuse('CONFIG_INVALID') })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})
