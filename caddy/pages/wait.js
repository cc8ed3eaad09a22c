// On the page of a problem: asks whether the problem is gone, and then shows what is there instead.

const { seen, waits } = document.body.dataset
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function waitForChange() {
  for (;;) {
    const response = await fetch(`/_moat/changed?${new URLSearchParams({ seen })}`, { cache: 'no-store' }).catch(
      () => {},
    )
    if (response?.ok && (await response.json()).changed) return
    // A proxy that is gone, or a supervisor that is just being started again.
    if (!response?.ok) await pause(500)
  }
}

/** Something listens, yet did not answer: perhaps it had only just begun. Tried once, or it would be tried for ever. */
function mayTryAgain() {
  const last = Number(sessionStorage.getItem('moat-tried') ?? 0)
  sessionStorage.setItem('moat-tried', String(Date.now()))
  return Date.now() - last > 10_000
}

async function waitForIt() {
  if (waits === 'once' && !mayTryAgain()) return
  if (waits !== 'once') await waitForChange()
  await pause(300)
  location.reload()
}

void waitForIt()
