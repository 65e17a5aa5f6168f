// What happens when somebody presses a button or sends a form: once at a time, and what fails is
// told. The button stays enabled meanwhile, since a disabled one would lose the focus.
import { ApiError } from './api.js';
import { showError } from './notices.js';

const running = new WeakSet();

export function onPress(action) {
  return ({ currentTarget }) => once(currentTarget, action);
}

export function onSubmit(action) {
  return (event) => {
    event.preventDefault();
    return once(event.currentTarget, action);
  };
}

async function once(element, action) {
  if (running.has(element)) return;
  running.add(element);
  element.setAttribute('aria-busy', 'true');
  try {
    await action(element);
  } catch (error) {
    report(error);
  } finally {
    running.delete(element);
    element.removeAttribute('aria-busy');
  }
}

/** The end of the session is told by the frame of the page. */
function report(error) {
  if (!(error instanceof ApiError)) throw error;
  if (!error.isSessionLost) showError(error.message);
}
