// What a command does when whoever reads its output, or called it, goes away before the end.
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const run = promisify(execFile)
const moat = `${process.execPath} ${resolve('bin/run.js')}`
/** Ends by no SIGPIPE, as Node's programs do not. */
const deaf = 'process.stdout.on("error", () => {}); setInterval(() => console.log("deaf-program"), 10)'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = new Sandbox()
  const command = 'command: "for i in $(seq 5000); do echo line $i; echo error $i >&2; done; sleep 1000"'
  const files = { 'moat.yaml': `name: talker\ndependencies: [node@22]\n${command}\n` }
  await sandbox.json(['run', '-d', sandbox.directory('talker', files)])
  const all = async () => {
    const { stderr, stdout } = await sandbox.moat(['logs', 'talker'])
    return stdout.endsWith('line 5000\n') && stderr.endsWith('error 5000\n')
  }
  await until('all lines', all)
})
afterAll(() => sandbox.cleanUp())

/** What runs in the container, by command line. */
async function processes(): Promise<string> {
  const [container] = await sandbox.containers()
  const { Processes } = await sandbox.docker.getContainer(container?.Id ?? '').top({ ps_args: '-eo pid,args' })
  return (Processes as string[][]).map(([, ...words]) => words.join(' ')).join('\n')
}

it('a reader that is slow gets all of it', async () => {
  const { stderr, stdout } = await sandbox.moat(['logs', 'talker'])
  const lines = (word: string) => Array.from({ length: 5000 }, (_, index) => `${word} ${index + 1}\n`).join('')
  expect([stdout, stderr]).toEqual([lines('line'), lines('error')])
})

describe('a reader that goes away', () => {
  it.each([
    ['logs talker', 0],
    ['logs -f talker', 0],
    ['logs -f --json talker', 0],
    ['exec talker -- seq 1 20000', 0],
    ['exec talker -- yes gone-reader', 141],
    [`exec talker -- node -e '${deaf}'`, 143],
  ])('ends moat %s, and nothing is left of it', async (command, code) => {
    const script = `${moat} ${command} 2>moat.err | head -2; echo "code \${PIPESTATUS[0]}"; cat moat.err`
    const cwd = sandbox.directory('caller')
    const { stdout } = await run('bash', ['-c', script], { cwd, env: sandbox.env, timeout: 60_000 })
    const [first, second, last, ...errors] = stdout.trimEnd().split('\n')
    expect(last, stdout).toBe(`code ${code}`)
    expect([first, second]).not.toContain(undefined)
    expect(errors.filter((line) => !line.startsWith('error '))).toEqual([])
    expect(await processes()).not.toMatch(/gone-reader|deaf-program|seq 1 /)
  })
})

describe('a caller that goes away', () => {
  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('by %s takes the command of moat exec with it, and what that has started', async (signal, code) => {
    const running = sandbox.start(['exec', 'talker', '--', 'sh', '-c', 'echo started; sleep 4711; true'])
    await running.prints('started')
    running.process.kill(signal)
    expect((await running.exited).code).toBe(code)
    expect(await processes()).not.toMatch(/sleep 4711/)
  })

  it('is obeyed the second time, whatever the command makes of the first', async () => {
    const stubborn = `trap 'echo not yet' INT; echo started; while true; do sleep 0.1; done`
    const running = sandbox.start(['exec', 'talker', '--', 'sh', '-c', stubborn])
    await running.prints('started')
    running.process.kill('SIGINT')
    await running.prints('not yet')
    running.process.kill('SIGINT')
    expect((await running.exited).code).toBe(137)
  })
})
