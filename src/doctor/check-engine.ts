// Owns the check of the container engine: which one answers, where, and whether the running proxy follows the same.
import { sameEngine } from '../engine/engine-address.js'
import { type DoctorContext, type Finding, ok, warn } from './diagnosis.js'

export async function checkEngine({ connectEngine, proxy }: DoctorContext): Promise<Finding[]> {
  const engine = await connectEngine()
  const { name, version } = await engine.sessions.version()
  const finding = ok('engine', `${name} ${version} answers at ${engine.address}.`)
  const followed = (await proxy())?.engine
  if (followed === undefined || (await sameEngine(followed, engine.address))) return [finding]
  const message = `The proxy follows another engine, at ${followed}: agents of this one get no URLs.`
  return [finding, warn('engine', message, ['moat proxy stop   # the next run starts it for this engine'])]
}
