// Owns the check of the container engine: which one answers, where, and whether the running proxy follows the same.
import { type DoctorContext, type Finding, ok } from './diagnosis.js'

export async function checkEngine({ connectEngine }: DoctorContext): Promise<Finding[]> {
  const engine = await connectEngine()
  const { name, version } = await engine.sessions.version()
  return [ok('engine', `${name} ${version} answers at ${engine.address}.`)]
}
