// Owns keeping the supervisor's lock meaningful: whose file is removed holds the lock of nothing, and a second supervisor
// could start beside it.
import { takeFileLock } from '../processes/file-lock.js'
import { fileMark } from '../upkeep/file-mark.js'
import { lookAgain } from '../upkeep/look-again.js'

export interface LockWatch {
  release(): void
}

/** The caller holds the lock. When its file is gone it is taken anew; `onLost` is called when another process was faster. */
export function watchLock(path: string, onLost: () => void): LockWatch {
  let mark = fileMark(path)
  let taking = false
  const look = async () => {
    if (taking || fileMark(path) === mark) return
    taking = true
    try {
      const lock = await takeFileLock(path)
      if (lock) mark = fileMark(path)
      else {
        looking.release()
        onLost()
      }
    } catch {
      // Its directory cannot be written: nobody else can take the lock either.
    }
    taking = false
    looking.again()
  }
  const looking = lookAgain([path], look, () => !taking && fileMark(path) !== mark)
  return looking
}
