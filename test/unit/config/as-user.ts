// Owns running part of a test without root's rights, which no file mode stops.

/** Runs `action` as an ordinary user; the user who runs the tests, if that is not root. */
export async function asOrdinaryUser<T>(action: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return action()
  process.seteuid?.(65_534)
  try {
    return await action()
  } finally {
    process.seteuid?.(0)
  }
}
