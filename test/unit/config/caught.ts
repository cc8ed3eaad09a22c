// Owns turning a failure into plain data, so that tests compare all a user is told of it.
import { MoatError, type SerializedError, serializeError } from '../../../src/errors.js'

/** The MoatError `action` fails with; throws when it succeeds or fails otherwise. */
export async function caught(action: () => unknown): Promise<SerializedError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof MoatError) return serializeError(error)
    throw error
  }
  throw new Error('expected a MoatError, but nothing was thrown')
}
