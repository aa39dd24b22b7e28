// The few things every part of the page does with the DOM.

export const byId = (id) => document.getElementById(id);

/** Set properties of a Dash component. */
export const setProps = (id, props) => window.dash_clientside.set_props(id, props);

/** An element with a class, and text or children. */
export function make(tag, className = "", content = []) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...[].concat(content));
  return element;
}

/** Write a text where it differs: nothing is laid out anew for the same words. */
export function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Offer bytes to the user as a file. */
export function download(blob, name) {
  const link = make("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
