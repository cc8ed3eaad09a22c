// Owns what a file of rules that were added for a run may hold: a rule a line, as JSON. Pure.
import { z } from 'zod/mini'
import { needed } from '../config/needed.js'
import type { NetworkRule } from './policy.js'

const schema = needed(() => {
  const effect = z.enum(['allow', 'deny'])
  const path = z.object({ effect, method: z.string(), path: z.string(), place: z.exactOptional(z.string()) })
  return z.array(
    z.object({
      effect,
      host: z.string(),
      paths: z.exactOptional(z.array(path)),
      place: z.exactOptional(z.string()),
      port: z.exactOptional(z.number()),
      text: z.string(),
    }),
  )
})

/** Throws what says why it cannot be read. */
export function parseLiveRules(text: string): NetworkRule[] {
  return schema().parse(text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))) as NetworkRule[]
}
