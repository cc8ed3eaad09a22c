// Owns the names of agents that were given none: a friendly adjective and an animal, e.g. `brave-otter`.

export const adjectives = words(`
  able agile amber ample autumn bold brave breezy bright brisk calm candid cheery clever coral cosmic cozy crisp curious
  daring deft dusky eager early earnest fair fancy fleet fresh frosty gentle glad golden grand happy hardy honest humble
  jolly keen kind lively lucky mellow merry mighty misty nimble noble patient playful polite proud quick quiet ready
  rosy silver smart snowy steady sunny swift tidy upbeat vivid warm wise witty zesty
`)

export const animals = words(`
  alpaca badger bear beaver bison bobcat camel cheetah condor cougar crane deer dolphin eagle egret elk falcon ferret
  finch fox gazelle gecko gibbon goose hare hawk hedgehog heron ibex ibis jackdaw jaguar kestrel kiwi koala lark lemur
  leopard llama lynx magpie marmot marten mole moose newt ocelot octopus orca osprey otter owl panda pelican penguin
  puffin puma quail rabbit raven robin seal sparrow squid stork swan tapir tiger toucan turtle walrus weasel whale wolf
  wombat wren yak zebra
`)

/** An adjective and an animal with a hyphen between: a DNS label. `random` gives numbers from 0 up to, not including, 1. */
export function generateName(random: () => number = Math.random): string {
  return `${pick(adjectives, random)}-${pick(animals, random)}`
}

function pick(list: readonly string[], random: () => number): string {
  return list[Math.floor(random() * list.length)] ?? 'brave'
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/)
}
