// hooks.pre_run, run by a real shell.
import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { withPreRun } from '../../../src/images/with-pre-run.js'

function run(command: string[], scripts: string[]) {
  const [program = '', ...args] = withPreRun(command, scripts)
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' })
  return { status, stdout }
}

describe('withPreRun', () => {
  it('leaves a command without hooks as it is', () => {
    expect(withPreRun(['npm', 'start'], [])).toEqual(['npm', 'start'])
  })

  it('runs each script, then the command with its arguments untouched', () => {
    const command = ['printf', '%s|', 'a b', '$HOME', "it's", '']
    expect(run(command, ['echo "1"', 'cd /; x=2\necho $x'])).toEqual({ status: 0, stdout: "1\n2\na b|$HOME|it's||" })
  })

  it('becomes the command, so that signals reach it and its exit code counts', () => {
    const { stdout } = run(['sh', '-c', 'echo $PPID; exit 7'], ['true'])
    expect(Number(stdout)).toBe(process.pid)
    expect(run(['sh', '-c', 'exit 7'], ['true']).status).toBe(7)
  })

  it('ends with the first script that fails', () => {
    expect(run(['echo', 'command'], ['echo one', 'exit 3', 'echo three'])).toEqual({ status: 3, stdout: 'one\n' })
  })
})
