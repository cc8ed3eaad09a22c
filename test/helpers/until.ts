// Waiting for a condition with a deadline: the only way tests wait.

/**
 * Resolves with the first truthy answer of `condition`; rejects, naming `what`, when there is none in time. The deadline is for what
 * never comes, on a machine however slow; milliseconds.
 */
export async function until<T>(
  what: string,
  condition: () => Promise<T> | T,
  deadline = 30_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + deadline
  let last: unknown
  while (performance.now() < end) {
    try {
      const answer = await condition()
      if (answer) return answer as NonNullable<Exclude<T, false>>
      last = answer
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${what} did not happen within ${deadline} ms; last: ${last}`, { cause: last })
}
