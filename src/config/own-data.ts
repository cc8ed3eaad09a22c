// Owns reading moat's own data, what is in data/*.yaml: as it is, or in dist/ as the JSON that the bundle has of it, which takes a
// tenth of the time.
import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { systemCode } from '../errors.js'

/** What data/`name`.yaml says; checked by who asks. */
export function ownData(name: string): unknown {
  try {
    return JSON.parse(readFileSync(new URL(`../data/${name}.json`, import.meta.url), 'utf8'))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return load(readFileSync(new URL(`../../data/${name}.yaml`, import.meta.url), 'utf8'))
  }
}
