// Owns telling, on Podman, that a container ended because its command does not exist.
import type Docker from 'dockerode'

/** A shell's exit code for a command that does not exist, and that of Docker's init. */
export const missingCommandCode = 127

/** It writes this in two pieces. Podman, asked for the end of a log, leaves out a first piece with which the log begins. */
const complaint = /(?:^|ERROR \(catatonit:\d+\): \s*)failed to exec pid1: No such file/m
/** Before each piece in the log: which stream, and how long. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const frame = /[\x00-\x02]\x00{3}[\s\S]{4}/g

/** Podman's init (catatonit) ends with 1 then, like many a program; what it writes tells the two apart. */
export async function commandWasMissing(container: Docker.Container): Promise<boolean> {
  try {
    const log = await container.logs({ follow: false, stderr: true, stdout: true, tail: 4 })
    return complaint.test(log.toString('latin1').replaceAll(frame, ''))
  } catch {
    // Removed by the engine, and its log with it.
    return false
  }
}
