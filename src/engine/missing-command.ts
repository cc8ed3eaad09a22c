// Owns telling, on Podman, that a container ended because its command does not exist.
import type Docker from 'dockerode'

/** A shell's exit code for a command that does not exist, and that of Docker's init. */
export const missingCommandCode = 127

/** Podman's init (catatonit) ends with 1 then, like many a program; what it writes tells the two apart. */
export async function commandWasMissing(container: Docker.Container): Promise<boolean> {
  try {
    const log = await container.logs({ follow: false, stderr: true, stdout: true, tail: 1 })
    return /ERROR \(catatonit:\d+\): failed to exec pid1: No such file/.test(log.toString())
  } catch {
    // Removed by the engine, and its log with it.
    return false
  }
}
