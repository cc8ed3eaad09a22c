// On every page: buttons that copy what stands beside them.

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Says to who cannot see it what the button shows. */
function say(text) {
  const said = document.getElementById('said') ?? document.body.appendChild(document.createElement('p'))
  Object.assign(said, { className: 'hidden', id: 'said', role: 'status' })
  said.textContent = text
}

async function copy(button) {
  const { text } = button.dataset
  await navigator.clipboard.writeText(text)
  say(`Copied ${text}`)
  button.classList.add('done')
  await pause(1500)
  button.classList.remove('done')
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest?.('button[data-action=copy]')
  if (button) copy(button).catch((error) => say(`Not copied: ${error.message}`))
})
