// Owns how text is put in lower case by Caddy, which has no word for it: a rule for each letter. Pure.

export const lowerCase = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((letter) => ({
  replace: letter.toLowerCase(),
  search: letter,
}))
