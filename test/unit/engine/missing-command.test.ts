// What Podman's log of a container says of a command that does not exist, in each shape in which it was seen.
import type Docker from 'dockerode'
import { describe, expect, it } from 'vitest'
import { commandWasMissing } from '../../../src/engine/missing-command.js'

const framed = (text: string) => {
  const header = Buffer.alloc(8)
  header[0] = 2
  header.writeUInt32BE(text.length, 4)
  return Buffer.concat([header, Buffer.from(text)])
}
const wasMissing = (...pieces: string[]) =>
  commandWasMissing({ logs: async () => Buffer.concat(pieces.map(framed)) } as unknown as Docker.Container)

const [first, second] = ['ERROR (catatonit:6): ', 'failed to exec pid1: No such file or directory\n']

describe("the log of Podman's init", () => {
  it.each([
    ['in one piece', [first + second]],
    ['in two', [first, second]],
    ['in two, on lines of their own', [`${first}\n`, second]],
    ['without the first piece', [second]],
    ['without the first piece, after an earlier run', ['an earlier run\n', second]],
  ])('tells of a command that is not there, %s', async (_, pieces) => {
    expect(await wasMissing(...pieces)).toBe(true)
  })

  it.each([
    ['nothing', []],
    ['another complaint', ['sh: 1: no-such-command: not found\n']],
    ['another complaint of the init', [`${first}failed to exec pid1: Permission denied\n`]],
    ['a program that quotes it', [`log: ${second}`]],
  ])('tells of none when it has %s', async (_, pieces) => {
    expect(await wasMissing(...pieces)).toBe(false)
  })
})
