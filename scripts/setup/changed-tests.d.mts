export function testsFor(
  changed: readonly string[],
  checkout: { exists(file: string): boolean; files: readonly string[]; read(file: string): string },
): string[] | undefined
