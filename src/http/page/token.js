/** The bearer token: in the storage of this tab only, which the browser forgets with it. */

const KEY = 'local-telemetry bearer token';
const field = document.getElementById('page-token');

/** The token; empty where there is none. */
export const tokenOf = () => field.value.trim();

/** Calls `changed` at each change. */
export const onToken = (changed) => field.addEventListener('input', changed);

/** Shows the field, filled with what this tab knows. */
export function offerToken() {
  field.value = kept(() => sessionStorage.getItem(KEY)) ?? '';
  onToken(() => kept(() => sessionStorage.setItem(KEY, tokenOf())));
  field.closest('label').hidden = false;
}

/** Where the browser allows no storage, the token lives in its field. */
function kept(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}
