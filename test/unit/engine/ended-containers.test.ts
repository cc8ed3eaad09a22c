import type { ContainerInfo } from 'dockerode'
import { describe, expect, it } from 'vitest'
import { EndedContainers } from '../../../src/engine/ended-containers.js'

const listed = (...states: string[]) =>
  states.map((State, index) => ({ Id: `id-${index}`, State }) as unknown as ContainerInfo)
const statesOf = (containers: readonly ContainerInfo[]) => containers.map(({ State }) => State)

describe('a container whose end was told', () => {
  it('has ended, whatever the list still says', () => {
    const ended = new EndedContainers()
    ended.note('die', 'id-0')
    ended.note('stop', 'id-0')
    expect(statesOf(ended.correct(listed('running', 'running')))).toEqual(['exited', 'running'])
  })

  it('runs again once its start was told, or once the list had known better', () => {
    const ended = new EndedContainers()
    for (const action of ['die', 'start', 'restart']) ended.note(action, 'id-0')
    expect(statesOf(ended.correct(listed('running')))).toEqual(['running'])
    ended.note('die', 'id-0')
    expect(statesOf(ended.correct(listed('exited')))).toEqual(['exited'])
    expect(statesOf(ended.correct(listed('running')))).toEqual(['running'])
  })

  it('is forgotten with what it was told by', () => {
    const ended = new EndedContainers()
    ended.note('die', 'id-0')
    ended.forget()
    expect(statesOf(ended.correct(listed('running')))).toEqual(['running'])
  })
})
