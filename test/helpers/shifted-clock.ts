// The clock of one running program, moved as that of a machine is which sleeps: the date jumps, and what counts the time
// awake does not notice, as on Linux. A Go program asks no library for the time that could be put in front of it, but a
// function which the kernel maps into every process, the vDSO. That function is replaced, in this one process only.
// (libfaketime and qemu's user mode can do the same, unless that qemu is static, as Debian's is since 13.)
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'

const second = 1_000
const day = 86_400 * second

/** `clock_gettime(clock, time)` in machine code: asks the kernel and, if `clock` is the date, adds seconds to `time`. */
const functions: Partial<Record<NodeJS.Architecture, { code: (seconds: string) => string[]; name: string }>> = {
  arm64: {
    code: (seconds) => [
      '5f2403d5', // bti c
      'e903002a', // mov w9, w0
      '280e80d2', // mov x8, #113, which is clock_gettime
      '010000d4', // svc #0
      'a9000035', // cbnz w9, to ret
      'aa000098', // ldrsw x10, seconds
      '2b0040f9', // ldr x11, [x1]
      '6b010a8b', // add x11, x11, x10
      '2b0000f9', // str x11, [x1]
      'c0035fd6', // ret
      seconds,
    ],
    name: '__kernel_clock_gettime',
  },
  x64: {
    code: (seconds) => [
      'b8e4000000', // mov eax, 228, which is clock_gettime
      '0f05', // syscall
      '85ff', // test edi, edi
      '7507', // jnz to ret
      `488106${seconds}`, // add qword ptr [rsi], seconds
      'c3', // ret
    ],
    name: '__vdso_clock_gettime',
  },
}

export class ShiftedClock {
  readonly #address: number
  readonly #code: (seconds: string) => string[]
  readonly #memory: string
  #shift = 0

  /** @param pid a program of this user that has started already */
  constructor(pid: number) {
    const ours = process.platform === 'linux' ? functions[process.arch] : undefined
    if (!ours) throw new Error(`No clock can be moved on ${process.platform} ${process.arch}: run this test on Linux.`)
    this.#code = ours.code
    this.#memory = `/proc/${pid}/mem`
    const mapping = /^(\w+)-(\w+) .*\[vdso\]$/m.exec(readFileSync(`/proc/${pid}/maps`, 'utf8'))
    const [start, end] = [Number(`0x${mapping?.[1]}`), Number(`0x${mapping?.[2]}`)]
    const library = Buffer.alloc(end - start)
    this.#inMemory('r', (file) => readSync(file, library, 0, library.length, start))
    const { address, size } = findFunction(library, ours.name)
    if (size < this.#bytes().length) throw new Error(`${ours.name} of this kernel is too small to be replaced.`)
    this.#address = start + address
  }

  /** What the program takes for now. */
  now(): number {
    return Date.now() + this.#shift
  }

  /** Moves the clock; by less than nothing, it goes back. */
  jump(days: number): void {
    this.#shift += days * day
    const bytes = this.#bytes()
    this.#inMemory('r+', (file) => writeSync(file, bytes, 0, bytes.length, this.#address))
  }

  #bytes(): Buffer {
    const seconds = Buffer.alloc(4)
    seconds.writeInt32LE(this.#shift / second)
    return Buffer.from(this.#code(seconds.toString('hex')).join(''), 'hex')
  }

  #inMemory(flags: string, use: (file: number) => void): void {
    const file = openSync(this.#memory, flags)
    try {
      use(file)
    } finally {
      closeSync(file)
    }
  }
}

/** Where a function of a 64-bit ELF library begins, and how long it is. */
function findFunction(library: Buffer, name: string): { address: number; size: number } {
  const number = (offset: number) => Number(library.readBigUInt64LE(offset))
  const section = (index: number) => number(40) + index * library.readUInt16LE(58)
  const dynamicSymbols = 11
  for (let index = 0; index < library.readUInt16LE(60); index += 1) {
    const header = section(index)
    if (library.readUInt32LE(header + 4) !== dynamicSymbols) continue
    const [symbols, end] = [number(header + 24), number(header + 24) + number(header + 32)]
    const names = number(section(library.readUInt32LE(header + 40)) + 24)
    for (let symbol = symbols; symbol < end; symbol += 24) {
      const start = names + library.readUInt32LE(symbol)
      if (library.toString('latin1', start, library.indexOf(0, start)) !== name) continue
      return { address: number(symbol + 8), size: number(symbol + 16) }
    }
  }
  throw new Error(`The vDSO of this kernel has no ${name}.`)
}
